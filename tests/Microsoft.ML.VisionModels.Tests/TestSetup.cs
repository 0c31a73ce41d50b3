using System.Runtime.CompilerServices;
using TorchSharp;

namespace Microsoft.ML.VisionModels.Tests;

internal static class TestSetup
{
    /// <summary>Test classes run side by side, so that one thread each is the fastest.</summary>
#pragma warning disable CA2255
    [ModuleInitializer]
    internal static void OneThreadEach()
    {
        TorchRuntime.EnsureAvailable();
        torch.set_num_threads(1);
    }
#pragma warning restore CA2255
}
