using Microsoft.ML.VisionModels.Interop;

namespace Microsoft.ML.VisionModels.Tests;

public class DevicesTests
{
    [Fact]
    public void AnAbsentDeviceOfTheContextFallsBackToTheCpuWhereThatIsAllowed()
    {
        var context = new MLContext { GpuDeviceId = 99, FallbackToCpu = true };
        var log = new List<string>();
        context.Log += (_, e) => log.Add(e.Message);
        Assert.Equal("cpu", Devices.Resolve(context).ToString());
        Assert.Contains(log, message => message.Contains("cuda:99"));
    }

    [Fact]
    public void AnAbsentDeviceOfTheContextIsAnErrorWhereTheCpuIsNotAllowed()
    {
        var context = new MLContext { GpuDeviceId = 99, FallbackToCpu = false };
        Assert.Contains("cuda:99", Assert.Throws<InvalidOperationException>(() => Devices.Resolve(context)).Message);
    }

    [Fact]
    public void WhatTheOptionsNameComesBeforeTheContext() =>
        Assert.Equal("cpu", Devices.Resolve(new MLContext { GpuDeviceId = 99, FallbackToCpu = false }, "cpu").ToString());
}
