using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class WeightAverageTests
{
    [Fact]
    public void FollowsItsFormula()
    {
        using var scope = NewDisposeScope();
        using var network = nn.Linear(1, 1);
        using var noGradients = no_grad();
        network.weight!.zero_();
        using var average = new WeightAverage(network, decay: 0.25);
        double expected = 0;
        for (var step = 0; step < 5; step++)
        {
            network.weight.copy_(tensor(step + 1f));
            average.Update(step);
            var decay = Math.Min(0.25, (1.0 + step) / (10 + step));
            expected = decay * expected + (1 - decay) * (step + 1);
        }
        Assert.Equal(expected, average.Tensors.Single(t => t.Name == "weight").Value.item<float>(), 1e-6);

        using (average.Apply())
            Assert.Equal(expected, network.weight.item<float>(), 1e-6);
        Assert.Equal(5, network.weight.item<float>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void IsWhatIsValidatedAndKept(bool validates)
    {
        var options = new MoonsOptions { Epochs = 3, EmaDecay = 0.95, EarlyStoppingPatience = 0 };
        float[] atLastValidation = [], afterLastStep = [];
        MoonsTask? task = null;
        task = new MoonsTask(options)
        {
            HasValidation = validates,
            OnValidate = (epoch, result) =>
            {
                atLastValidation = task!.Weights();
                return result with { Score = epoch };
            },
        };
        using (task)
        {
            TrainingLoop.Run(task, options.Plan(), callbacks: new AfterSteps(_ => afterLastStep = task.Weights()));
            Assert.NotEqual(afterLastStep, task.Weights());
            if (validates)
                Assert.Equal(atLastValidation, task.Weights());
            Assert.InRange(task.Evaluate().Score!.Value, 0.85, 1);
        }
    }

    private sealed class AfterSteps(Action<TrainingState> look) : ITrainingCallback
    {
        public void OnStepEnd(TrainingState state) => look(state);
    }
}
