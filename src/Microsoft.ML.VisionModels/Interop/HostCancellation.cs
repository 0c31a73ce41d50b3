using Microsoft.ML.Runtime;

namespace Microsoft.ML.VisionModels.Interop;

internal static class HostCancellation
{
    /// <summary>Whether <see cref="MLContext.CancelExecution"/> was called.</summary>
    public static bool IsCancelled(this IHostEnvironment environment) => environment is ICancelable { IsCanceled: true };
}
