using Microsoft.ML.VisionModels.Core;

namespace Microsoft.ML.VisionModels.Checkpoints;

/// <summary>
/// How large a network may become that is to be filled from a file. A configuration only claims how many blocks there are and how wide
/// they are; the file's list of tensors tells. So memory follows the file: a network is built in a thread's allowance, of which
/// each parameter takes its part before it has memory, and what goes beyond it ends at once.
/// </summary>
internal sealed class WeightAllowance : IDisposable
{
    [ThreadStatic]
    private static WeightAllowance? s_current;

    private readonly WeightAllowance? _outer = s_current;
    private readonly Checkpoint _file;
    private readonly Int128 _tensors, _numbers;

    /// <param name="file">The weights.</param>
    /// <param name="more">Numbers that the network has and the file need not have: a new head's.</param>
    public WeightAllowance(Checkpoint file, long more = 0)
    {
        _file = file;
        _tensors = Limits.NetworkOfFile * (Int128)file.Tensors.Count + Limits.SmallNetworkTensors;
        _numbers = Limits.NetworkOfFile * file.Tensors.Values.Aggregate((Int128)0, (sum, tensor) => sum + tensor.Shape.Product()) + Limits.SmallNetworkNumbers + more;
        s_current = this;
    }

    public long TensorsTaken { get; private set; }

    public Int128 NumbersTaken { get; private set; }

    /// <summary>Called for each parameter before it is made; free where nothing is to be loaded.</summary>
    /// <exception cref="CheckpointException">The file has not nearly as much.</exception>
    public static void Take(params ReadOnlySpan<long> shape)
    {
        if (s_current is not { } allowance)
            return;
        Int128 numbers = 1;
        foreach (var size in shape)
            numbers *= size;
        allowance.TensorsTaken++;
        allowance.NumbersTaken += numbers;
        if (allowance.TensorsTaken > allowance._tensors || allowance.NumbersTaken > allowance._numbers)
        {
            throw new CheckpointException(
                $"The network of the configuration would be many times as large as the weights of {allowance._file.Path} (tensors: {allowance._file.Tensors.Count}): " +
                "one of its numbers, such as the depth, a width or the vocabulary, is not theirs.");
        }
    }

    public void Dispose() => s_current = _outer;
}
