namespace Microsoft.ML.VisionModels;

/// <summary>What the package has to offer beside transforms. Made by <c>mlContext.Vision()</c>.</summary>
public sealed class VisionCatalog
{
    private readonly MLContext _context;

    internal VisionCatalog(MLContext context) => _context = context;

    /// <summary>Searches for good hyper-parameters of an estimator.</summary>
    /// <typeparam name="T">The options class, whose properties with search-space attributes are searched.</typeparam>
    /// <param name="estimator">Makes the estimator, or a pipeline with it, from the options of a trial. It may set what is not searched, such as columns.</param>
    /// <param name="options">Budget, metric, and how to search; null takes 30 trials by accuracy.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public Sweep Sweep<T>(Func<T, IEstimator<ITransformer>> estimator, SweepOptions? options = null)
        where T : class, new() => Sweep(options ?? new(), SweepCandidate.Of(estimator));

    /// <summary>Searches for the best of several estimators, and for good hyper-parameters of each.</summary>
    /// <param name="options">Budget, metric, and how to search.</param>
    /// <param name="candidates">The estimators, as <see cref="SweepCandidate.Of"/> makes them; their methods say more of what is searched, of a single one too.</param>
    /// <exception cref="ArgumentException">An option is out of its range, or two candidates have one name.</exception>
    public Sweep Sweep(SweepOptions options, params IReadOnlyList<SweepCandidate> candidates) => new(_context, options, candidates);
}
