namespace Microsoft.ML.VisionModels.Bench;

/// <summary>Reports in the reporting thread, where <see cref="Progress{T}"/> takes another.</summary>
internal sealed class Reports<T>(Action<T> report) : IProgress<T>
{
    public void Report(T value) => report(value);
}
