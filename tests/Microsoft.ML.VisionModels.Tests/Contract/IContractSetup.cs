namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>
/// Makes a family's options small where their properties' names alone do not tell how (a checkpoint, a window size). Found by
/// reflection; needs a parameterless constructor. A plain trainer needs none.
/// </summary>
internal interface IContractSetup
{
    /// <summary>The options' type.</summary>
    Type Options { get; }

    /// <summary>What tells this from other setups of the same options, each of which is a case; empty where there is but one.</summary>
    string Variant => "";

    /// <summary>Whether options for training have a part in it.</summary>
    bool Trains => true;

    /// <param name="options">Already made small as far as property names tell.</param>
    /// <param name="imageSize">The side of the network's input.</param>
    void Prepare(OptionBag options, int imageSize);
}
