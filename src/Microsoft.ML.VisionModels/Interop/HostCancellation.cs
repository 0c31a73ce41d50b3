using Microsoft.ML.Runtime;

namespace Microsoft.ML.VisionModels.Interop;

internal static class HostCancellation
{
    /// <summary>Whether the context was told to stop, as Microsoft.ML.AutoML does when a trial's time is over.</summary>
    public static bool IsCancelled(this IHostEnvironment environment) => environment is ICancelable { IsCanceled: true };
}
