using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Training;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class SgdTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.9)]
    public void EqualsTorchsOptimizerInEveryGroup(double momentum)
    {
        using var scope = NewDisposeScope();
        var (ours, theirs) = (Parameters(), Parameters());
        using var optimizer = new Sgd([new(ours[..1], WeightDecay: 0.05), new(ours[1..], WeightDecay: 0, RateScale: 0.3)], momentum);
        using var first = optim.SGD(theirs[..1], 1, momentum, weight_decay: 0.05);
        using var second = optim.SGD(theirs[1..], 1, momentum);
        using var generator = new Generator(2);
        for (var step = 0; step < 20; step++)
        {
            var rate = 1e-1 / (step + 1);
            foreach (var (our, their) in ours.Zip(theirs))
                their.grad = (our.grad = randn(our.shape, generator: generator)).clone();
            optimizer.Step(rate);
            first.ParamGroups.Single().LearningRate = rate;
            second.ParamGroups.Single().LearningRate = rate * 0.3;
            first.step();
            second.step();
        }

        foreach (var (our, their) in ours.Zip(theirs))
            Assert.True((our - their).abs().max().Item() <= 1e-6);
        Assert.True((ours[0] - Parameters()[0]).abs().max().Item() > 1e-2);
    }

    [Fact]
    public void LeavesAloneWhatHasNoGradient()
    {
        using var scope = NewDisposeScope();
        var parameters = Parameters();
        using var before = parameters[1].clone();
        using var optimizer = new Sgd([new(parameters, WeightDecay: 0.1)]);
        parameters[0].grad = ones_like(parameters[0]);
        optimizer.Step(0.1);
        Assert.True(parameters[1].equal(before).all().item<bool>());
    }

    private static Parameter[] Parameters()
    {
        using var generator = new Generator(1);
        return [new(randn([7, 5], generator: generator)), new(randn([5], generator: generator))];
    }
}
