using Microsoft.ML.OnnxRuntime;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>A network in ONNX Runtime on the CPU, with all of its optimizations.</summary>
internal sealed class OnnxPeer : IDisposable
{
    public const string Name = "ONNX Runtime 1.31.1 fp32";

    private readonly InferenceSession _session;

    public OnnxPeer(string path, int threads) => _session = Open(path, threads);

    public static InferenceSession Open(string path, int threads)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // As ours: waiting threads sleep.
        return new InferenceSession(path, options);
    }

    /// <summary>Two networks that compute different things must not be timed against each other.</summary>
    /// <param name="ours">Our network's output.</param>
    /// <param name="peer">The peer's for the same input.</param>
    /// <param name="tolerance">How large a difference may be, relative to the largest output.</param>
    public static void CheckAgreement(float[] ours, float[] peer, double tolerance)
    {
        var difference = ours.Zip(peer, (a, b) => Math.Abs(a - b)).Max() / peer.Max(Math.Abs);
        Console.WriteLine(FormattableString.Invariant($"Largest difference of the outputs, relative to the largest output: {difference:G2}"));
        if (!(difference < tolerance))
            throw new InvalidOperationException("The two networks disagree: were both made from one checkpoint?");
    }

    /// <summary>The network's one output for its one input.</summary>
    public float[] Run<T>(T[] input, long[] shape) where T : unmanaged
    {
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var options = new RunOptions();
        using var outputs = _session.Run(options, _session.InputNames, [value], _session.OutputNames);
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>The network's one output for several inputs, in the order of the file.</summary>
    public float[] Run(params (float[] Values, long[] Shape)[] inputs)
    {
        OrtValue[] values = [.. inputs.Select(input => OrtValue.CreateTensorValueFromMemory(input.Values, input.Shape))];
        using var options = new RunOptions();
        using var outputs = _session.Run(options, _session.InputNames, values, _session.OutputNames);
        Array.ForEach(values, value => value.Dispose());
        return outputs[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public void Dispose() => _session.Dispose();
}
