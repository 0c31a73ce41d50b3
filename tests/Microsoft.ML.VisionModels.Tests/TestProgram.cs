using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>A program that was built with the tests, in a process of its own.</summary>
internal sealed partial class TestProgram : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _errors;

    private TestProgram(Process process) => (_process, _errors) = (process, process.StandardError.ReadToEndAsync());

    public StreamWriter StandardInput => _process.StandardInput;

    public StreamReader StandardOutput => _process.StandardOutput;

    /// <param name="name">The entry of the tests' assembly that says where the program is.</param>
    /// <param name="arguments">Its arguments.</param>
    public static TestProgram Start(string name, params string[] arguments)
    {
        var program = typeof(TestProgram).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == name).Value!;
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        var start = new ProcessStartInfo(dotnet, ["exec", program, .. arguments]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        // Sums in another order differ in their last bits: one thread and the CPU, as in the tests.
        start.Environment["OMP_NUM_THREADS"] = start.Environment["MKL_NUM_THREADS"] = "1";
        start.Environment["CUDA_VISIBLE_DEVICES"] = "";
        return new(Process.Start(start)!);
    }

    public async Task AssertSuccess()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(_process.ExitCode == 0, await _errors);
    }

    /// <summary>What the process ends with.</summary>
    public async Task<int> ExitCode()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    /// <summary>Ends the process at once, as the system does when memory runs out (SIGKILL): no code of the program runs.</summary>
    public async Task Kill()
    {
        _process.Kill();
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// Asks it to end (SIGTERM), and waits until it has. Not Ctrl+C's SIGINT, which is ignored below a shell's background job; not on Windows.
    /// </summary>
    public Task Terminate()
    {
        Assert.Equal(0, SendSignal(_process.Id, signal: 15));
        return AssertSuccess();
    }

    public void Dispose() => _process.Dispose();

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int process, int signal);
}
