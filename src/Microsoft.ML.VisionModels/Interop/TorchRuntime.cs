using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// Prepares libtorch before its first use. This happens by itself when this package is first touched; call
/// <see cref="Prepare"/> only where an application uses TorchSharp before it uses this package.
/// </summary>
public static partial class TorchRuntime
{
    private static readonly Lazy<string?> Problem = new(PrepareOnce);
    private static readonly Lazy<string?> Unavailable = new(TryOnce);

    /// <summary>
    /// Lets libtorch's waiting threads soon sleep rather than spin (unless OMP_WAIT_POLICY is set) and loads TorchSharp's native
    /// library where the system's loader would refuse it. Does its work once; never throws.
    /// </summary>
    public static void Prepare() => _ = Problem.Value;

    /// <summary>Checks that libtorch can be used.</summary>
    /// <exception cref="InvalidOperationException">The application has no libtorch, or one that does not load; the message says which package to add.</exception>
    public static void EnsureAvailable()
    {
        if (Unavailable.Value is { } reason)
            throw new InvalidOperationException(reason);
    }

    /// <summary>The device that a name stands for.</summary>
    /// <param name="device">"cpu", "cuda", "cuda:1" or "mps"; null or "auto" takes a CUDA device where there is one, and else the CPU.</param>
    /// <exception cref="InvalidOperationException">The device is not there, or libtorch is not; the message lists what was found.</exception>
    /// <exception cref="ArgumentException">The name is not a device's.</exception>
    public static torch.Device ResolveDevice(string? device = null)
    {
        EnsureAvailable();
        if (device is null or "auto")
            device = torch.cuda.is_available() ? "cuda" : "cpu";

        var (kind, index) = device.Split(':') switch
        {
            [var name] => (name, 0),
            [var name, var number] when int.TryParse(number, out var n) && n >= 0 => (name, n),
            _ => (string.Empty, 0),
        };
        var present = kind switch
        {
            "cpu" => index == 0,
            "cuda" => torch.cuda.is_available() && index < torch.cuda.device_count(),
            "mps" => index == 0 && torch.mps_is_available(),
            _ => throw new ArgumentException($"'{device}' is not a device. Use auto, cpu, cuda, cuda:1 or mps.", nameof(device)),
        };
        if (!present)
        {
            throw new InvalidOperationException(
                $"The device '{device}' was asked for, but this application has: {string.Join(", ", Devices())}." +
                $"{(kind == "cuda" ? $" For CUDA, reference {CudaPackage} instead of TorchSharp-cpu and check the NVIDIA driver." : string.Empty)}");
        }
        // With its number: libtorch says that of its tensors, and a device without one never equals theirs.
        return kind == "cuda" ? torch.device(DeviceType.CUDA, index) : torch.device(kind);
    }

    /// <summary>The names of the devices that this application can use.</summary>
    public static IReadOnlyList<string> Devices()
    {
        EnsureAvailable();
        var devices = new List<string> { "cpu" };
        if (torch.cuda.is_available())
            devices.AddRange(Enumerable.Range(0, torch.cuda.device_count()).Select(i => $"cuda:{i}"));
        if (torch.mps_is_available())
            devices.Add("mps");
        return devices;
    }

    private static string CudaPackage => OperatingSystem.IsWindows() ? "TorchSharp-cuda-windows" : "TorchSharp-cuda-linux";

#pragma warning disable CA2255 // A module initializer is what decision 6 asks for: nothing else runs before the user's first TorchSharp call.
    [ModuleInitializer]
    internal static void Initialize() => Prepare();
#pragma warning restore CA2255

    private static string? PrepareOnce()
    {
        // Threads that spin while they wait cost four times on a busy machine; threads that never spin halve the speed of small
        // networks on a quiet one. A tenth of a millisecond has most of the good of both, and a hundredth, which libgomp makes of it
        // where there are more threads than processors; with the policy PASSIVE, it makes none. libgomp reads libc's environment,
        // which .NET's setter does not reach.
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null)
        {
            _ = SetEnvironment("OMP_WAIT_POLICY", "ACTIVE", overwrite: 0);
            _ = SetEnvironment("GOMP_SPINCOUNT", "10000", overwrite: 0);
        }
        return OperatingSystem.IsLinux() ? LinuxTorchLoader.Load(Find) : null;
    }

    private static string? TryOnce()
    {
        var problem = Problem.Value;
        try
        {
            torch.TryInitializeDeviceType(DeviceType.CPU);
            using var probe = torch.zeros(1);
            return null;
        }
        catch (Exception e) when (e is TypeInitializationException or NotSupportedException or DllNotFoundException or BadImageFormatException or EntryPointNotFoundException)
        {
            var found = Find(OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so");
            var version = typeof(torch).Assembly.GetName().Version?.ToString(3);
            return found is null
                ? $"No libtorch was found for {RuntimeInformation.RuntimeIdentifier}. Add a runtime package to the application: " +
                  $"TorchSharp-cpu {version}, or {CudaPackage} {version} for NVIDIA GPUs."
                : $"libtorch ({found}) does not load: {problem ?? (e.InnerException ?? e).Message} " +
                  $"Check that the application's TorchSharp runtime package has the version of TorchSharp, {version}.";
        }
    }

    /// <summary>The place of a native library of this application.</summary>
    private static string? Find(string file)
    {
        var searched = ((string?)AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") ?? string.Empty)
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var besideUs = new[]
        {
            AppContext.BaseDirectory,
            Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"),
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native"),
        };
        return searched.Concat(besideUs).Select(folder => Path.Combine(folder, file)).FirstOrDefault(File.Exists);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}
