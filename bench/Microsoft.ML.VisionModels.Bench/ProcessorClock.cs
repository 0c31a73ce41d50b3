namespace Microsoft.ML.VisionModels.Bench;

/// <summary>The processor time that this process has used since it was made: what others do on the machine does not count.</summary>
internal sealed class ProcessorClock
{
    private readonly TimeSpan _start = Environment.CpuUsage.TotalTime;

    public double Minutes => (Environment.CpuUsage.TotalTime - _start).TotalMinutes;
}
