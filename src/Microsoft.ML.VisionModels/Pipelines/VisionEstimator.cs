using Microsoft.ML.Runtime;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// An estimator of this package, as the methods of <c>mlContext.Transforms</c> make it: it trains a network on the rows, or loads a
/// published one. What it does is said where it is made.
/// </summary>
/// <typeparam name="TTransformer">The fitted model.</typeparam>
public sealed class VisionEstimator<TTransformer> : IEstimator<TTransformer>
    where TTransformer : BatchTransformer
{
    private readonly IHost _host;
    private readonly ScoringOptions _options;
    private readonly Func<IHost, IDataView, TTransformer> _fit;

    internal VisionEstimator(IHost host, ScoringOptions options, Func<IHost, IDataView, TTransformer> fit) => (_host, _options, _fit) = (host, options, fit);

    /// <summary>Trains on the rows, or loads a published network; see the method that made this.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type, or an option does not fit the network.</exception>
    /// <exception cref="FileNotFoundException">The checkpoint, or a file that belongs to it, is not there.</exception>
    /// <exception cref="CheckpointException">The checkpoint is damaged, or does not fit the network.</exception>
    /// <exception cref="ImageDecodeException">An image cannot be read.</exception>
    /// <exception cref="TrainingDivergedException">The loss became NaN or infinite.</exception>
    /// <exception cref="OperationCanceledException">Canceled before there was anything to give. Canceling a training gives the best model so far.</exception>
    public TTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        // Before anything that takes long.
        foreach (var column in _options.Inputs)
            column.Find(input.Schema);
        _options.CancellationToken.ThrowIfCancellationRequested();
        using var notices = MLNet.LogNotices(_host);
        return _fit(_host, input);
    }

    /// <summary>The input's columns and, after them, the model's.</summary>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        foreach (var column in _options.Inputs)
            column.Find(inputSchema);
        return Columns.Promise(inputSchema, _options.Outputs(inputSchema));
    }
}

/// <summary>Makes estimators of options and of what fits them.</summary>
internal static class VisionEstimator
{
    /// <param name="catalog">Where the estimator is asked for.</param>
    /// <param name="options">The user's options, which are checked and copied.</param>
    /// <param name="fit">What fitting does.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static VisionEstimator<TTransformer> Of<TOptions, TTransformer>(TransformsCatalog catalog, TOptions options, Func<FitContext<TOptions>, TTransformer> fit)
        where TOptions : ScoringOptions
        where TTransformer : BatchTransformer
    {
        ArgumentNullException.ThrowIfNull(options);
        var environment = MLNet.EnvironmentOf(catalog);
        options.Validate();
        var own = (TOptions)options.Copy();
        var seed = (own as TrainerOptions)?.SeedFor(environment) ?? 0;
        return new(environment.Register(ModelKind.Of(options).Name), own, (host, input) =>
            fit(new(host, own, input, Devices.Resolve(host, own.Device), seed)));   // the device first: it tells best what is missing of libtorch
    }
}

/// <summary>What fitting has to go on.</summary>
/// <param name="Host">Takes messages and progress.</param>
/// <param name="Options">The user's options.</param>
/// <param name="Input">The rows.</param>
/// <param name="Device">Where to train and score.</param>
/// <param name="Seed">Of everything random.</param>
internal sealed record FitContext<TOptions>(IHost Host, TOptions Options, IDataView Input, Device Device, int Seed)
    where TOptions : ScoringOptions
{
    /// <summary>The network's own random numbers: weights now, dropout later. Order and augmentation have streams of their own.</summary>
    public Generator NetworkGenerator() => EpochOrder.Generator(Seed, epoch: 0, stream: 2);

    /// <exception cref="OperationCanceledException">The options' token or the context is canceled.</exception>
    public void ThrowIfCanceled()
    {
        Options.CancellationToken.ThrowIfCancellationRequested();
        Host.ThrowIfCanceled();
    }
}
