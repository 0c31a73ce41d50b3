using Microsoft.ML.VisionModels.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = Microsoft.ML.VisionModels.Training.AdamW;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class AdamWTests
{
    private static readonly long[][] Shapes = [[7, 5], [5], [3, 4, 2, 2], [1]];

    [Fact]
    public void EqualsTheUnfusedOptimizerInEveryGroup()
    {
        using var scope = NewDisposeScope();
        var ours = Parameters(seed: 1);
        var theirs = Parameters(seed: 1);
        using var optimizer = new AdamW([new(ours[..2], WeightDecay: 0.05), new(ours[2..], WeightDecay: 0, RateScale: 0.3)]);
        using var first = optim.AdamW(theirs[..2], beta2: 0.999, weight_decay: 0.05);
        using var second = optim.AdamW(theirs[2..], beta2: 0.999);

        using var generator = new Generator(2);
        for (var step = 0; step < 20; step++)
        {
            var rate = 1e-2 / (step + 1);
            SetGradients(generator, ours, theirs);
            optimizer.Step(rate);
            first.ParamGroups.Single().LearningRate = rate;
            second.ParamGroups.Single().LearningRate = rate * 0.3;
            first.step();
            second.step();
        }

        foreach (var (our, their) in ours.Zip(theirs))
            Assert.True((our - their).abs().max().Item() <= 1e-6);
        Assert.True((ours[0] - Parameters(seed: 1)[0]).abs().max().Item() > 1e-3);
    }

    [Fact]
    public void FollowsTheFormula()
    {
        using var scope = NewDisposeScope();
        var parameter = Parameter(tensor([2.0f]));
        using var optimizer = new AdamW([new([parameter], WeightDecay: 0.1)]);
        var (value, m, v) = (2.0, 0.0, 0.0);
        for (var t = 1; t <= 5; t++)
        {
            var g = 0.3 * t;
            parameter.grad = tensor([(float)g]);
            optimizer.Step(0.01);

            (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
            value -= 0.01 * 0.1 * value;
            value -= 0.01 * (m / (1 - Math.Pow(0.9, t))) / (Math.Sqrt(v / (1 - Math.Pow(0.999, t))) + 1e-8);
        }
        Assert.Equal(value, parameter.Item(), 1e-6);
    }

    [Fact]
    public void LeavesAloneWhatHasNoGradient()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters(seed: 1);
        var before = parameters[1].clone();
        using var optimizer = new AdamW([new(parameters, WeightDecay: 0.1)]);
        parameters[0].grad = ones_like(parameters[0]);
        optimizer.Step(0.1);

        Assert.True(parameters[1].equal(before).all().item<bool>());
        Assert.Equal([1, 0, 0, 0], optimizer.State.Where(s => s.Name.EndsWith("step", StringComparison.Ordinal)).Select(s => (int)s.Value.Item()));
    }

    [Fact]
    public void GoesOnFromCopiedStates()
    {
        using var scope = NewDisposeScope();
        var straight = Parameters(seed: 1);
        using var all = new AdamW([new(straight, WeightDecay: 0.05)]);
        using var generator = new Generator(3);
        for (var step = 0; step < 5; step++)
            Step(all, straight);

        var resumed = straight.Select(p => Parameter(p.detach().clone())).ToArray();
        using var rest = new AdamW([new(resumed, WeightDecay: 0.05)]);
        foreach (var (from, to) in all.State.Zip(rest.State))
        {
            Assert.Equal(from.Name, to.Name);
            to.Value.copy_(from.Value);
        }
        for (var step = 0; step < 5; step++)
        {
            SetGradients(generator, straight, resumed);
            all.Step(1e-2);
            rest.Step(1e-2);
        }
        foreach (var (a, b) in straight.Zip(resumed))
            Assert.True(a.equal(b).all().item<bool>());

        void Step(AdamW optimizer, Parameter[] parameters)
        {
            SetGradients(generator, parameters);
            optimizer.Step(1e-2);
        }
    }

    private static Parameter[] Parameters(ulong seed)
    {
        using var generator = new Generator(seed);
        return [.. Shapes.Select(shape => Parameter(randn(shape, generator: generator)))];
    }

    private static Parameter Parameter(Tensor value) => new(value);

    private static void SetGradients(Generator generator, params Parameter[][] copies)
    {
        for (var i = 0; i < copies[0].Length; i++)
        {
            var gradient = randn(copies[0][i].shape, generator: generator);
            foreach (var parameters in copies)
                parameters[i].grad = gradient.clone();
        }
    }
}
