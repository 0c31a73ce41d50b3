using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Checkpoints;

namespace Microsoft.ML.VisionModels.Sweeps.Spaces;

/// <summary>All that is searched: one branch, or several of which each trial takes one.</summary>
internal sealed record Space(IReadOnlyList<Branch> Branches)
{
    public Branch this[string name] => Branches.First(branch => branch.Name == name);

    /// <summary>The choice among the branches, as a dimension.</summary>
    [JsonIgnore]
    public ChoiceDimension Choice => new("", [.. Branches.Select(branch => branch.Name)], Branches[0].Name);
}
