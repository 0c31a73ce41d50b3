using TorchSharp;

[assembly: AssemblyFixture(typeof(Microsoft.ML.VisionModels.Tests.TestSetup))]

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>
/// Made before the first test, and not in a module initializer: the test adapter also starts this program only to ask for its
/// framework, and gives up where that does not end within a second, as libtorch may not on a busy machine.
/// </summary>
public sealed class TestSetup
{
    public TestSetup()
    {
        TorchRuntime.EnsureAvailable();
        torch.set_num_threads(1); // Test classes run side by side, so that one thread each is the fastest.
    }
}
