using System.Reflection;
using System.Text.Json.Serialization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;

namespace Microsoft.ML.VisionModels;

/// <summary>What every estimator of this package can be told.</summary>
/// <remarks>
/// Properties that are marked as scoring settings say how the fitted model scores: these, and no others, stand in its file, where
/// each must be present.
/// </remarks>
public abstract class ScoringOptions
{
    private const string ColumnSuffix = "ColumnName";

    /// <summary>
    /// Published weights: a folder as Hugging Face publishes it, or a weights file (.safetensors, .pt, .pth, .bin). Must be set where
    /// nothing is trained; a training starts from them, or from random weights where it is null, the default.
    /// </summary>
    public string? Checkpoint { get; set; }

    /// <summary>
    /// Which weights of <see cref="Checkpoint"/> are read, where a training kept two sets of them: a log's warning says that it did.
    /// Default <see cref="CheckpointWeights.Trained"/>.
    /// </summary>
    public CheckpointWeights CheckpointWeights { get; set; }

    /// <summary>Rows scored at once; at least 1. Default 16: on a CPU larger batches are no faster.</summary>
    [ScoringSetting]
    public int ScoringBatchSize { get; set; } = 16;

    /// <summary>The numbers to score with. Default <see cref="Precision.Float32"/>. For training see <see cref="TrainerOptions.TrainingPrecision"/>.</summary>
    [ScoringSetting]
    public Precision Precision { get; set; } = Precision.Float32;

    /// <summary>"cpu", "cuda", "cuda:1" or "mps"; "auto", the default, takes the GPU of <see cref="MLContext.GpuDeviceId"/>, else a CUDA device where there is one, else the CPU.</summary>
    public string Device { get; set; } = "auto";

    /// <summary>
    /// Stops fitting. A training ends within a step, and the best weights so far are a usable model; other work throws
    /// <see cref="OperationCanceledException"/>. Where nothing is trained, it stops the fitted model's scoring too;
    /// <see cref="BatchTransformer.TransformCancelable"/> does so for any model.
    /// </summary>
    [JsonIgnore]
    public CancellationToken CancellationToken { get; set; }

    /// <summary>The columns that are read, to fit and to score.</summary>
    internal virtual IEnumerable<InputColumn> Inputs => [];

    /// <summary>The names of the columns that are added; null for one that is not made.</summary>
    internal virtual IEnumerable<string?> OutputNames => [];

    /// <summary>The promise of the columns that are added.</summary>
    /// <param name="input">The input's columns, which are as they should be.</param>
    internal virtual IEnumerable<SchemaShape.Column> Outputs(SchemaShape input) => OutputNames.OfType<string>().Select(Columns.VectorPromise);

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">A property's value cannot be used; the message names it.</exception>
    internal virtual void Validate()
    {
        OptionChecks.Require(ScoringBatchSize, ScoringBatchSize >= 1, "at least 1");
        OptionChecks.RequireDefined(CheckpointWeights, nameof(CheckpointWeights));
        OptionChecks.RequireDefined(Precision, nameof(Precision));
        var columns = GetType().GetProperties().Where(property => property.Name.EndsWith(ColumnSuffix, StringComparison.Ordinal)).ToArray();
        foreach (var property in columns)
        {
            if (property.GetValue(this) is not null || new NullabilityInfoContext().Create(property).WriteState == NullabilityState.NotNull)
                OptionChecks.RequireName((string?)property.GetValue(this), property.Name);
        }
        if (OutputNames.Any() && OutputNames.All(name => name is null))
            throw new ArgumentException($"No output column has a name; set one of {string.Join(", ", columns.Where(property => property.GetValue(this) is null).Select(property => property.Name))}.");
        OptionChecks.RequireDistinct(OutputNames);
    }

    /// <summary>Options of their own, which the user's later changes do not reach.</summary>
    internal virtual ScoringOptions Copy() => (ScoringOptions)MemberwiseClone();

    /// <exception cref="ArgumentException">There is none.</exception>
    private protected void RequireCheckpoint()
    {
        if (string.IsNullOrEmpty(Checkpoint))
            throw new ArgumentException($"{nameof(Checkpoint)} is not set; published weights are needed.", nameof(Checkpoint));
    }
}
