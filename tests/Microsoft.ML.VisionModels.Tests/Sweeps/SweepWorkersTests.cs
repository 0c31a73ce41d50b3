namespace Microsoft.ML.VisionModels.Tests;

/// <summary>How many trials there is room for depends on the memory that the whole process takes, and so these run alone.</summary>
[Collection("Alone")]
public class SweepWorkersTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void TwoWorkersShareTheTrials()
    {
        var running = 0;
        var met = false;
        var options = new SweepOptions { Trials = 20, Workers = 2, Metric = ToySweep.Metric };
        using var result = _context.Vision().Sweep((ToySweep.Options o) =>
        {
            Interlocked.Increment(ref running);
            for (var waits = 0; waits < 20 && !Volatile.Read(ref met); waits++)
            {
                Thread.Sleep(50);
                if (Volatile.Read(ref running) == 2)
                    Volatile.Write(ref met, true);
            }
            Interlocked.Decrement(ref running);
            return ToySweep.Estimator(_context, o);
        }, options).Run(ToySweep.Rows(_context), ToySweep.Rows(_context));
        Assert.Equal(20, result.Study.Trials.Count(trial => trial.State == SweepTrialState.Complete));
        Assert.True(met);
    }
}
