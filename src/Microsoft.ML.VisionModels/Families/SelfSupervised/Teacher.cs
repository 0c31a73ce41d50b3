using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.SelfSupervised;

/// <summary>A network that does not learn by gradients but follows another, as a moving average of its weights.</summary>
internal static class Teacher
{
    /// <summary>Gives the teacher the student's weights and statistics.</summary>
    public static void Start(nn.Module teacher, nn.Module student)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        foreach (var ((_, to), (_, from)) in teacher.state_dict().Zip(student.state_dict()))
            to.copy_(from);
    }

    /// <summary>Keeps gradients from the teacher.</summary>
    public static void Freeze(nn.Module teacher)
    {
        foreach (var parameter in teacher.parameters())
            parameter.requires_grad = false;
    }

    /// <summary>teacher = momentum teacher + (1 - momentum) student, of parameters alone: a batch norm's statistics are the teacher's own.</summary>
    public static void Follow(nn.Module teacher, nn.Module student, double momentum) =>
        WeightAverage.Move([.. teacher.parameters()], [.. student.parameters()], 1 - momentum);
}
