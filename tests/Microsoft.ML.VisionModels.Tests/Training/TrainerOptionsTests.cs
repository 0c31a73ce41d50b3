using System.Reflection;
using System.Text.Json;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Tests.Training;

public class TrainerOptionsTests
{
    [Fact]
    public void DefaultsAreValid() => new Options().Validate();

    [Theory]
    [InlineData(nameof(TrainerOptions.Epochs), 0)]
    [InlineData(nameof(TrainerOptions.Steps), 0)]
    [InlineData(nameof(TrainerOptions.Minutes), 0.0)]
    [InlineData(nameof(TrainerOptions.Minutes), double.NaN)]
    [InlineData(nameof(TrainerOptions.BatchSize), -1)]
    [InlineData(nameof(TrainerOptions.LearningRate), 0.0)]
    [InlineData(nameof(TrainerOptions.LearningRate), double.NaN)]
    [InlineData(nameof(TrainerOptions.LearningRate), double.PositiveInfinity)]
    [InlineData(nameof(TrainerOptions.WeightDecay), -0.1)]
    [InlineData(nameof(TrainerOptions.WarmupFraction), 1.0)]
    [InlineData(nameof(TrainerOptions.GradientClip), -1.0)]
    [InlineData(nameof(TrainerOptions.EmaDecay), 1.0)]
    [InlineData(nameof(TrainerOptions.LayerDecay), 0.0)]
    [InlineData(nameof(TrainerOptions.LayerDecay), double.NaN)]
    [InlineData(nameof(TrainerOptions.AccumulationSteps), 0)]
    [InlineData(nameof(TrainerOptions.AccumulationSteps), 65)]
    [InlineData(nameof(TrainerOptions.SnapshotSteps), -1)]
    [InlineData(nameof(TrainerOptions.SnapshotMinutes), 0.0)]
    [InlineData(nameof(TrainerOptions.EarlyStoppingPatience), -1)]
    [InlineData(nameof(TrainerOptions.ValidationFraction), 1.0)]
    public void NameThePropertyAndTheValueThatIsOutOfRange(string property, object value)
    {
        var options = new Options();
        typeof(TrainerOptions).GetProperty(property)!.SetValue(options, value);

        var error = Assert.Throws<ArgumentOutOfRangeException>(options.Validate);
        Assert.Equal((property, value), (error.ParamName, error.ActualValue));
        Assert.Contains($"{property} is {value}, but must be ", error.Message);
    }

    [Fact]
    public void DefaultsAreWhereASweepBegins()
    {
        var defaults = new Options();
        var tuned = new List<string>();
        foreach (var property in typeof(TrainerOptions).GetProperties())
        {
            // The values in the attributes are ML.NET's own affair; what was written down is not.
            var attribute = property.CustomAttributes.SingleOrDefault(a => a.AttributeType == typeof(RangeAttribute) || a.AttributeType == typeof(ChoiceAttribute));
            if (attribute is null)
                continue;
            tuned.Add(property.Name);
            var value = Convert.ToDouble(property.GetValue(defaults));
            var arguments = attribute.ConstructorArguments;
            if (attribute.AttributeType == typeof(RangeAttribute))
            {
                Assert.Equal(property.PropertyType, arguments[2].ArgumentType);
                Assert.InRange(value, Convert.ToDouble(arguments[0].Value), Convert.ToDouble(arguments[1].Value));
                Assert.Equal(value, Convert.ToDouble(arguments[2].Value));
            }
            else
            {
                var choices = (IReadOnlyCollection<CustomAttributeTypedArgument>)arguments[0].Value!;
                Assert.Contains(value, choices.Select(c => Convert.ToDouble(c.Value)));
                Assert.Equal(value, Convert.ToDouble(arguments[1].Value));
            }
        }
        Assert.Equal(["BatchSize", "Epochs", "LayerDecay", "LearningRate", "WarmupFraction", "WeightDecay"], tuned.Order());
    }

    // Sweeps carry options as JSON; the token and the callback are not part of them.
    [Fact]
    public void GoThroughJsonWithACancellationTokenSet()
    {
        using var source = new CancellationTokenSource();
        var options = new Options { CancellationToken = source.Token, Progress = new Progress<TrainingProgress>(), LearningRate = 2e-3, Seed = 7 };
        options.Preprocessing = new() { MeanImage = new(1, 2, new float[] { 1, 2, 3, 4, 5, 6 }) };
        var read = JsonSerializer.Deserialize<Options>(JsonSerializer.Serialize(options))!;
        Assert.Equal((2e-3, 7, null), (read.LearningRate, read.Seed, read.Progress));
        Assert.Equal(options.Preprocessing.MeanImage, read.Preprocessing!.MeanImage);
    }

    private sealed class Options : TrainerOptions;
}
