using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>A network that is built from a record of its hyper-parameters, without values: they are loaded or drawn.</summary>
internal interface INetwork<TConfig, TSelf>
    where TSelf : nn.Module, INetwork<TConfig, TSelf>
{
    TConfig Config { get; }

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of dropout while training; the caller keeps it alive. Scoring needs none.</param>
    static abstract TSelf Create(TConfig config, Generator? generator = null);
}

/// <summary>A network that can be trained from random weights.</summary>
internal interface ITrainableNetwork
{
    /// <summary>Whether training computes blocks twice to save memory.</summary>
    bool GradientCheckpointing { get; set; }

    /// <summary>Draws every weight.</summary>
    void Draw(Generator generator);

    /// <summary>Draws the head alone, for other classes.</summary>
    void DrawHead(Generator generator);
}

internal static class TrainableNetworks
{
    /// <summary>The network itself, after every weight was drawn.</summary>
    public static T Drawn<T>(this T network, Generator generator) where T : ITrainableNetwork
    {
        network.Draw(generator);
        return network;
    }
}
