using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Pipelines;

/// <summary>Which device a model works on: what the options name, else what the MLContext asks for, else the best there is.</summary>
internal static class Devices
{
    /// <exception cref="InvalidOperationException">The device is not there, or libtorch is not.</exception>
    public static torch.Device Resolve(IHostEnvironment environment, string device = "auto")
    {
        var (gpu, fallback) = MLNet.GpuOf(environment);
        var resolved = device == "auto" && gpu is { } id && !(fallback && !TorchRuntime.Devices().Contains($"cuda:{id}"))
            ? TorchRuntime.ResolveDevice($"cuda:{id}")
            : TorchRuntime.ResolveDevice(device);

        using var channel = environment.Start("Device");
        MLNet.Info(channel, $"Using the device {resolved}.");
        return resolved;
    }
}
