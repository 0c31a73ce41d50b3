using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

public class TorchRuntimeTests
{
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
