using Microsoft.ML.Runtime;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Interop;

/// <summary>Which device a model works on: what the options name, else what the MLContext asks for, else the best there is.</summary>
internal static class Devices
{
    /// <exception cref="InvalidOperationException">The device is not there, or libtorch is not.</exception>
    public static torch.Device Resolve(IHostEnvironment environment, string device = "auto")
    {
        using var channel = environment.Start("Device");
        var (gpu, fallback) = MLNet.GpuOf(environment);
        if (device == "auto" && gpu is { } id)
        {
            device = $"cuda:{id}";
            if (fallback && !TorchRuntime.Devices().Contains(device))
            {
                MLNet.Warning(channel, $"The MLContext asks for {device}, which is not there: falling back to the CPU.");
                device = "cpu";
            }
        }
        var resolved = TorchRuntime.ResolveDevice(device);
        MLNet.Info(channel, $"Using the device {resolved}.");
        return resolved;
    }
}
