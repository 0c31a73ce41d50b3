using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;
using Linear = TorchSharp.Modules.Linear;

namespace Microsoft.ML.VisionModels.Tests.Training;

internal sealed class MoonsOptions : TrainerOptions
{
    public MoonsOptions()
    {
        (Epochs, BatchSize, LearningRate, WeightDecay, Seed) = (12, 32, 1e-2, 0.01, 1);
    }
}

/// <summary>A small network that learns to tell two interleaving half circles apart. The members that can be set bend a test's way.</summary>
internal sealed class MoonsTask : ITrainingTask, IDisposable
{
    private readonly MoonsOptions _options;
    private readonly MoonsNetwork _network;
    private readonly (Tensor Points, Tensor Labels) _train, _validation;
    private long[] _order = [];
    private int _epoch;

    public MoonsTask(MoonsOptions options, int rows = 256)
    {
        _options = options;
        _network = new MoonsNetwork(options.Seed!.Value);
        _train = Moons(rows, seed: 11);
        _validation = Moons(rows: 128, seed: 12);
        ParameterGroups = VisionModels.Training.ParameterGroups.Of(Network, options.WeightDecay);
    }

    public nn.Module Network => _network;

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; }

    public int StepsPerEpoch => (SamplesPerEpoch + _options.BatchSize - 1) / _options.BatchSize;

    public int SamplesPerEpoch => (int)_train.Labels.shape[0];

    public bool HasValidation { get; init; } = true;

    /// <summary>Sees epoch and step before each loss, and may change the loss.</summary>
    public Func<int, int, Tensor, Tensor>? OnLoss { get; init; }

    /// <summary>Keeps a moving average of the weights as a teacher's, at a momentum that rises with the steps, and these in snapshots.</summary>
    public Tensor[]? Teacher { get; init; }

    public IEnumerable<(string Name, Tensor Value)> State => (Teacher ?? []).Select((value, i) => ($"teacher.{i}", value));

    /// <summary>Replaces the validation's result.</summary>
    public Func<int, ValidationResult, ValidationResult>? OnValidate { get; init; }

    public void StartEpoch(int epoch, int firstStep)
    {
        Assert.True(Network.training);
        _epoch = epoch;
        _order = EpochOrder.Shuffle(SamplesPerEpoch, _options.Seed!.Value, epoch);
    }

    public Tensor? Loss(int step, int part, int parts)
    {
        var batch = _order.Skip(step * _options.BatchSize).Take(_options.BatchSize).ToArray();
        var chunk = batch.Chunk((batch.Length + parts - 1) / parts).ElementAtOrDefault(part);
        if (chunk is null)
            return null;
        var rows = tensor(chunk);
        var loss = nn.functional.cross_entropy(_network.forward(_train.Points[rows]), _train.Labels[rows]).Mul((double)chunk.Length / batch.Length);
        return OnLoss?.Invoke(_epoch, step, loss) ?? loss;
    }

    public void AfterStep(long step, long totalSteps)
    {
        Assert.False(is_grad_enabled());
        foreach (var (teacher, student) in (Teacher ?? []).Zip(Network.parameters()))
            teacher.lerp_(student, 0.5 * (1 - (double)step / totalSteps));
    }

    public ValidationResult? Validate(CancellationToken cancellation)
    {
        if (!HasValidation)
            return null;
        Assert.False(Network.training);
        Assert.False(is_grad_enabled());
        cancellation.ThrowIfCancellationRequested();
        var result = Evaluate();
        return OnValidate?.Invoke(_epoch, result) ?? result;
    }

    public ValidationResult Evaluate()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var logits = _network.forward(_validation.Points);
        var accuracy = logits.argmax(1).eq(_validation.Labels).to(float32).mean().Item();
        return new(accuracy, nn.functional.cross_entropy(logits, _validation.Labels).Item(), new Dictionary<string, double> { ["Accuracy"] = accuracy });
    }

    /// <summary>All weights, one after the other.</summary>
    public float[] Weights()
    {
        using var scope = NewDisposeScope();
        return [.. Network.state_dict().Values.SelectMany(t => t.detach().to(float32).data<float>().ToArray())];
    }

    public void Dispose()
    {
        Network.Dispose();
        foreach (var (points, labels) in new[] { _train, _validation })
        {
            points.Dispose();
            labels.Dispose();
        }
    }

    private static (Tensor Points, Tensor Labels) Moons(int rows, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var angle = rand(rows, generator: generator).Mul(Math.PI);
        var labels = tensor(Enumerable.Range(0, rows).Select(i => i % 2L).ToArray());
        var upper = stack([angle.cos(), angle.sin()], 1);
        var lower = stack([angle.cos().negative().Add(1), angle.sin().negative().Add(0.5)], 1);
        var points = where(labels.to(ScalarType.Bool).unsqueeze(1), lower, upper).Add(randn([rows, 2], generator: generator).Mul(0.08));
        return (points.MoveToOuterDisposeScope(), labels.MoveToOuterDisposeScope());
    }

    private sealed class MoonsNetwork : nn.Module<Tensor, Tensor>
    {
        private readonly Linear _first = nn.Linear(2, 32), _second = nn.Linear(32, 2);
        private readonly TorchSharp.Modules.BatchNorm1d _norm = nn.BatchNorm1d(32);

        public MoonsNetwork(int seed)
            : base(nameof(MoonsNetwork))
        {
            RegisterComponents();
            using var noGradients = no_grad();
            using var scope = NewDisposeScope();
            using var generator = new Generator((ulong)seed);
            foreach (var parameter in parameters().Where(p => p.dim() > 1))
                parameter.copy_(randn(parameter.shape, generator: generator).Mul(0.5));
            _first.bias!.zero_();
            _second.bias!.zero_();
        }

        public override Tensor forward(Tensor input) => _second.forward(nn.functional.relu(_norm.forward(_first.forward(input))));
    }
}
