using Microsoft.ML.VisionModels;

namespace Microsoft.ML;

/// <summary>Hyper-parameter search.</summary>
public static class SweepCatalog
{
    /// <summary>Searches for good hyper-parameters of an estimator.</summary>
    /// <typeparam name="T">The options class, whose properties with search-space attributes are searched.</typeparam>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="estimator">Creates the estimator, or a pipeline with it, from the options of a trial. It may set options that are not searched, such as columns.</param>
    /// <param name="options">The options of the sweep; null for 30 trials that are scored by accuracy.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static Sweep Sweep<T>(this VisionCatalog catalog, Func<T, IEstimator<ITransformer>> estimator, SweepOptions? options = null)
        where T : class, new() => catalog.Sweep(options ?? new(), SweepCandidate.Of(estimator));

    /// <summary>Searches for the best of several estimators, and for good hyper-parameters of each.</summary>
    /// <param name="catalog">The catalog: <c>mlContext.Vision()</c>.</param>
    /// <param name="options">The options of the sweep.</param>
    /// <param name="candidates">The estimators, created by <see cref="SweepCandidate.Of"/>. Their methods change what is searched, which is also useful for a single one.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or two candidates have one name.</exception>
    public static Sweep Sweep(this VisionCatalog catalog, SweepOptions options, params IReadOnlyList<SweepCandidate> candidates)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new(catalog.Context, options, candidates);
    }
}
