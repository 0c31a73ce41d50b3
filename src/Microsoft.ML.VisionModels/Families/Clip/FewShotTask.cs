using System.Globalization;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>Learning classes from images' vectors, which are computed once and stay: cross entropy of whatever gives logits.</summary>
internal sealed class FewShotTask : ITrainingTask
{
    private readonly Func<Tensor, Tensor> _logits;
    private readonly FewShotRows _train, _validation;
    private readonly TrainingPlan _plan;
    private int[][] _steps = [];

    /// <param name="network">What learns.</param>
    /// <param name="logits">Its logits [B, C] of vectors of length 1, [B, E].</param>
    /// <param name="train">The rows to learn from.</param>
    /// <param name="validation">The rows to judge by; may be none.</param>
    /// <param name="plan">How to train.</param>
    /// <param name="identity">What tells this training from others.</param>
    public FewShotTask(
        nn.Module network, Func<Tensor, Tensor> logits, FewShotRows train, FewShotRows validation, TrainingPlan plan, IReadOnlyDictionary<string, string> identity)
    {
        (Network, _logits, _train, _validation, _plan) = (network, logits, train, validation, plan);
        ParameterGroups = Training.ParameterGroups.Of(network, plan.WeightDecay, name => name == CoOp.ContextName);
        Identity = new Dictionary<string, string>(identity)
        {
            ["seed"] = plan.Seed.ToString(CultureInfo.InvariantCulture),
            ["order of labels"] = train.Digest,
            ["order of validation labels"] = validation.Digest,
        };
    }

    public nn.Module Network { get; }

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public IReadOnlyDictionary<string, string> Identity { get; }

    public int StepsPerEpoch => (SamplesPerEpoch + _plan.BatchSize - 1) / _plan.BatchSize;

    public int SamplesPerEpoch => _train.Classes.Length;

    public void StartEpoch(int epoch, int firstStep) =>
        _steps = [.. EpochOrder.Shuffle(SamplesPerEpoch, _plan.Seed, epoch).Select(row => (int)row).Chunk(_plan.BatchSize)];

    public Tensor? Loss(int step, int part, int parts)
    {
        var batch = _steps[step];
        var size = (batch.Length + parts - 1) / parts;
        int[] rows = [.. batch.Skip(part * size).Take(size)];
        if (rows.Length == 0)
            return null;
        using Scalar count = batch.Length;
        var logits = _logits(_train.VectorsOf(rows)).to(ScalarType.Float32);
        return F.cross_entropy(logits, _train.ClassesOf(rows), reduction: nn.Reduction.Sum).div(count);
    }

    public ValidationResult? Validate(CancellationToken cancellation)
    {
        if (_validation.Classes.Length == 0)
            return null;
        int[] rows = [.. Enumerable.Range(0, _validation.Classes.Length)];
        var (logits, targets) = (_logits(_validation.VectorsOf(rows)), _validation.ClassesOf(rows));
        var accuracy = logits.argmax(1).eq(targets).sum().item<long>() / (double)rows.Length;
        return new(accuracy, F.cross_entropy(logits, targets).Item(), new Dictionary<string, double> { ["Accuracy"] = accuracy });
    }
}

/// <summary>Images that are learned from as vectors.</summary>
/// <param name="Vectors">Of length 1, [N, E], on the network's device.</param>
/// <param name="Classes">The class of each.</param>
/// <param name="Digest">The fingerprint of the labels of all rows from which these were taken, by the seed.</param>
internal sealed record FewShotRows(Tensor Vectors, int[] Classes, string Digest)
{
    public Tensor VectorsOf(int[] rows) => Vectors.index_select(0, Index(rows));

    public Tensor ClassesOf(int[] rows) => Index(Array.ConvertAll(rows, row => Classes[row]));

    private Tensor Index(int[] values) => tensor(Array.ConvertAll(values, value => (long)value), device: Vectors.device);
}
