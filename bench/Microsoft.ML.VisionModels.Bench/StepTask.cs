using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Steps of the training loop over what is always there.</summary>
/// <param name="network">What learns.</param>
/// <param name="weightDecay">Of the parameters that decay.</param>
/// <param name="loss">The loss of a step.</param>
internal class StepTask(nn.Module network, double weightDecay, Func<Tensor> loss) : ITrainingTask
{
    public nn.Module Network => network;

    public IReadOnlyList<ParameterGroup> ParameterGroups { get; } = Training.ParameterGroups.Of(network, weightDecay);

    public int StepsPerEpoch { get; set; } = 1;

    public int SamplesPerEpoch => StepsPerEpoch;

    public void StartEpoch(int epoch, int firstStep)
    {
    }

    public Tensor Loss(int step, int part, int parts) => loss();

    public virtual void AfterGradients(int epoch)
    {
    }

    public virtual void AfterStep(long step, long totalSteps)
    {
    }

    public ValidationResult? Validate(CancellationToken cancellation) => null;
}
