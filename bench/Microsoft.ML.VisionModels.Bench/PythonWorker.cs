using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.VisionModels.Bench;

/// <summary>bench/train_step.py in a process of its own: it does so many steps on demand and says what one cost.</summary>
internal sealed class PythonWorker : IDisposable
{
    private const string OpenBlasKernels = "OPENBLAS_CORETYPE";

    private readonly Process _process;

    public PythonWorker(string python, string checkpoint, int batch, int threads)
    {
        var script = Path.Combine(Repository.Bench, "train_step.py");
        var start = new ProcessStartInfo(python, ["-B", script, checkpoint, $"{batch}", $"{threads}"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        foreach (var variable in (string[])["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"])
            start.Environment[variable] = $"{threads}";
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE"; // As ours.
        if (Avx512F.IsSupported && !start.Environment.ContainsKey(OpenBlasKernels))
            start.Environment[OpenBlasKernels] = "SkylakeX"; // OpenBLAS treats a processor that it does not know as a very old one.
        _process = Process.Start(start)!;
    }

    /// <summary>The loss of the last step.</summary>
    public double Loss { get; private set; }

    public Cost Turn(int steps)
    {
        _process.StandardInput.WriteLine(steps);
        _process.StandardInput.Flush();
        var answer = _process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("train_step.py ended; its error is above.");
        var numbers = answer.Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture)).ToArray();
        Loss = numbers[0];
        return new(numbers[1], numbers[2]);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
