using System.Runtime.InteropServices;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

public partial class TorchRuntimeTests
{
    [Fact]
    public void WaitingThreadsSoonSleep()
    {
        Assert.SkipWhen(!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is not null || Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is not null, "How long is not ours to set.");
        Assert.Equal(("ACTIVE", "10000"), (Marshal.PtrToStringUTF8(GetEnvironment("OMP_WAIT_POLICY")), Marshal.PtrToStringUTF8(GetEnvironment("GOMP_SPINCOUNT"))));
    }

    [LibraryImport("libc", EntryPoint = "getenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetEnvironment(string name);

    [Fact]
    public void LibtorchLoads()
    {
        TorchRuntime.EnsureAvailable();
        using var two = torch.ones(2).sum();
        Assert.Equal(2f, two.item<float>());
    }

    [Fact]
    public void UnknownDeviceIsNamed()
    {
        Assert.Contains("tpu", Assert.Throws<ArgumentException>(() => TorchRuntime.ResolveDevice("tpu")).Message);
    }

    [Fact]
    public void AbsentDeviceListsWhatIsThere()
    {
        var message = Assert.Throws<InvalidOperationException>(() => TorchRuntime.ResolveDevice("cuda:99")).Message;
        Assert.Contains("cuda:99", message);
        Assert.Contains("cpu", message);
    }
}
