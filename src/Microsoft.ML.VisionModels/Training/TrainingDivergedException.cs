namespace Microsoft.ML.VisionModels;

/// <summary>The training loss, or its gradient, became NaN or infinite.</summary>
public sealed class TrainingDivergedException : Exception
{
    internal TrainingDivergedException(int epoch, int step, double loss, double learningRate, double? gradientNorm = null)
        : base($"{(gradientNorm is { } norm ? $"The gradient's norm became {norm}, of a loss of {loss}," : $"The loss became {loss}")} at epoch {epoch}, step {step} (learning rate {learningRate:G3}). Try a lower LearningRate, " +
               "a larger WarmupFraction or a GradientClip of 1 or less, and check the training data for NaN and infinite values.")
    {
        Epoch = epoch;
        Step = step;
        Loss = loss;
        LearningRate = learningRate;
    }

    /// <summary>The epoch, from 1.</summary>
    public int Epoch { get; }

    /// <summary>The step in the epoch, from 1.</summary>
    public int Step { get; }

    /// <summary>The loss: NaN or an infinity; a number where only its gradient is none.</summary>
    public double Loss { get; }

    /// <summary>The learning rate of that step.</summary>
    public double LearningRate { get; }
}
