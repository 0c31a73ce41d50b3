using Microsoft.ML.Runtime;

namespace Microsoft.ML.VisionModels.Interop;

internal static class HostCancellation
{
    /// <summary>Whether the context was told to stop, as Microsoft.ML.AutoML does when a trial's time is over.</summary>
    public static bool IsCanceled(this IHostEnvironment environment) => environment is ICancelable { IsCanceled: true };

    /// <exception cref="OperationCanceledException">The context was told to stop.</exception>
    public static void ThrowIfCanceled(this IHostEnvironment environment)
    {
        if (environment.IsCanceled())
            throw new OperationCanceledException("The MLContext was told to stop.");
    }

    /// <summary>Tells everything that works in a context to stop. The context is of no use afterwards.</summary>
    public static void Cancel(MLContext context) => (MLNet.EnvironmentOf(context.Transforms) as ICancelable)?.CancelExecution();
}
