using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Samplers;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>The hyper-parameters of one estimator.</summary>
internal sealed record Branch(string Name, IReadOnlyList<Dimension> Dimensions)
{
    /// <summary>What is set and not searched: with another value there, it is another search.</summary>
    public IReadOnlyDictionary<string, string?> Fixed { get; init; } = new Dictionary<string, string?>();

    /// <summary>Hyper-parameters that JSON has kept, as the dimensions have them.</summary>
    public IReadOnlyDictionary<string, object> Read(IReadOnlyDictionary<string, object> parameters) =>
        Dimensions.ToDictionary(dimension => dimension.Name, dimension => dimension.Read(parameters[dimension.Name]));

    /// <summary>The values at a place for each dimension.</summary>
    public Proposal At(IEnumerable<double> places) =>
        new(Name, Dimensions.Zip(places).ToDictionary(pair => pair.First.Name, pair => pair.First.ValueAt(pair.Second)));

    /// <summary>Where a search begins.</summary>
    [JsonIgnore]
    public Proposal Initial => new(Name, Dimensions.ToDictionary(dimension => dimension.Name, dimension => dimension.InitialValue));
}
