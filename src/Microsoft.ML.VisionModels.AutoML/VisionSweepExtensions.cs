using Microsoft.ML.AutoML;
using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels;
using Microsoft.ML.VisionModels.AutoML;
using Microsoft.ML.VisionModels.Sweeps.Studies;

namespace Microsoft.ML;

/// <summary>This package's sweeps in an <see cref="AutoMLExperiment"/>.</summary>
public static class VisionSweepExtensions
{
    /// <summary>
    /// Searches a pipeline as this package's sweeps do; it takes the place of <c>SetPipeline</c>. Trials are proposed by the sampler,
    /// ended in the middle of their training where the pruner says so, and written down in the study; of all models only the best is
    /// kept in memory; and when the time is up, the running trial is scored as it stands. Any one of these parts may be replaced
    /// afterwards by AutoML's own methods: with <c>SetEciCostFrugalTuner()</c>, AutoML proposes, and the rest stays.
    /// </summary>
    /// <param name="experiment">The experiment. Give it data with <c>SetDataset</c>. It may have a metric; without one, that of the options counts.</param>
    /// <param name="pipeline">What is searched. Trials are pruned where they train an estimator of <see cref="VisionAutoCatalog"/>; others are searched, too.</param>
    /// <param name="options">
    /// How to search. <see cref="SweepOptions.Trials"/> and <see cref="SweepOptions.Minutes"/> become the experiment's own limits. Null
    /// takes the defaults and leaves the limits to the experiment.
    /// </param>
    /// <returns>The experiment; what it returns when it is run is a <see cref="SweepTrialResult"/>.</returns>
    /// <exception cref="ArgumentException">An option is out of its range, or there is more than one worker: AutoML runs one trial after the other.</exception>
    public static AutoMLExperiment SetVisionSweep(this AutoMLExperiment experiment, SweepablePipeline pipeline, SweepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(experiment);
        ArgumentNullException.ThrowIfNull(pipeline);
        var sweep = options?.Copy() ?? new() { Trials = null };
        sweep.Validate();
        if (sweep.Workers > 1)
            throw new ArgumentException($"AutoML runs one trial after the other, and cannot have {sweep.Workers} {nameof(SweepOptions.Workers)}. Several processes may work at one study.", nameof(options));

        // Each run of the experiment has its own services.
        IServiceProvider? run = null;
        StudySession? session = null;
        experiment.SetPipeline(pipeline)
            .SetMonitor(services => new StudyMonitor(Session(services), Get<IChannel>(services)!))
            .SetTuner(services => new StudyTuner(Session(services)))
            .SetTrialRunner(services => new StudyTrialRunner(Session(services), Get<MLContext>(services)!, pipeline, Get<IDatasetManager>(services)!))
            .SetPerformanceMonitor(services => new StudyPerformanceMonitor(Session(services), Get<AutoMLExperiment.AutoMLExperimentSettings>(services)!, Get<IChannel>(services)!));
        if (sweep.Trials is { } trials)
            experiment.SetMaxModelToExplore(trials);
        if (sweep.Minutes is { } minutes)
            experiment.SetTrainingTimeInSeconds((uint)Math.Ceiling(60 * minutes));
        return experiment;

        StudySession Session(IServiceProvider services)
        {
            if (session is null || run != services)
            {
                var settings = Get<AutoMLExperiment.AutoMLExperimentSettings>(services)!;
                (run, session) = (services, new(Get<MLContext>(services)!, settings.SearchSpace, pipeline, sweep, Get<IEvaluateMetricManager>(services)));
            }
            return session;
        }
    }

    private static T? Get<T>(IServiceProvider services)
        where T : class => (T?)services.GetService(typeof(T));
}
