using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels;

/// <summary>An estimator that a sweep may try: how it is made, and which of its options are searched.</summary>
public abstract class SweepCandidate
{
    private protected SweepCandidate(string name) => Name = name;

    /// <summary>Its name in trials and reports.</summary>
    public string Name { get; }

    /// <summary>What is searched.</summary>
    internal abstract Branch Branch { get; }

    /// <summary>Makes the estimator with these hyper-parameters.</summary>
    /// <param name="parameters">The hyper-parameters.</param>
    /// <param name="attach">Is given the options, where they are a trainer's of this package, before the estimator is made.</param>
    internal abstract IEstimator<ITransformer> Create(IReadOnlyDictionary<string, object> parameters, Action<TrainerOptions> attach);

    /// <summary>
    /// An estimator over an options class. Every property with a search-space attribute of ML.NET (<c>Range</c>, <c>Choice</c>,
    /// <c>BooleanChoice</c>) is searched; <see cref="SweepCandidate{T}"/> has methods that change this.
    /// </summary>
    /// <param name="estimator">Makes the estimator, or a pipeline with it, from the options of a trial. It may set what is not searched, such as columns.</param>
    /// <param name="name">Its name in trials and reports; null takes the options class's without "Options".</param>
    public static SweepCandidate<T> Of<T>(Func<T, IEstimator<ITransformer>> estimator, string? name = null)
        where T : class, new()
    {
        ArgumentNullException.ThrowIfNull(estimator);
        const string Suffix = "Options";
        var type = typeof(T).Name;
        return new(estimator, name ?? (type.Length > Suffix.Length && type.EndsWith(Suffix, StringComparison.Ordinal) ? type[..^Suffix.Length] : type));
    }
}
