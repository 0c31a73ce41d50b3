using Microsoft.ML.VisionModels.Checkpoints;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>A tensor of a checkpoint, as the file describes it.</summary>
/// <param name="Name">The tensor's name in the file, segments separated by dots.</param>
/// <param name="Type">The element type in the file.</param>
/// <param name="Shape">The size of each dimension, outermost first; empty for a scalar.</param>
public sealed record TensorInfo(string Name, ScalarType Type, IReadOnlyList<long> Shape)
{
    /// <summary>Name, type and shape, such as <c>norm.weight Float32 [768]</c>.</summary>
    public override string ToString() => $"{Name} {Type} {Shape.Text()}";
}
