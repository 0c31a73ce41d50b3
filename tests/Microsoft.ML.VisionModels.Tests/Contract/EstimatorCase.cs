using System.Reflection;

namespace Microsoft.ML.VisionModels.Tests.Contract;

/// <summary>An estimator of the package, known by the catalog method that makes it from options, and by the variant where there are several.</summary>
internal sealed class EstimatorCase
{
    private static readonly IContractSetup[] s_setups = [.. typeof(EstimatorCase).Assembly.GetTypes()
        .Where(type => type is { IsClass: true, IsAbstract: false } && type.IsAssignableTo(typeof(IContractSetup)))
        .Select(type => (IContractSetup)Activator.CreateInstance(type, nonPublic: true)!)];

    private readonly MethodInfo _method;
    private readonly IContractSetup? _setup;

    private EstimatorCase(MethodInfo method, IContractSetup? setup) => (_method, _setup) = (method, setup);

    /// <summary>All catalog methods with options: public extension methods on one of ML.NET's catalogs that take one options object and give an estimator.</summary>
    public static IReadOnlyList<EstimatorCase> All { get; } = [.. typeof(BatchTransformer).Assembly.GetExportedTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static))
        .Where(method => method.IsDefined(typeof(System.Runtime.CompilerServices.ExtensionAttribute)) && IsEstimator(method.ReturnType))
        .Where(method => method.GetParameters() is [_, var options] && options.ParameterType.GetConstructor([]) is not null)
        .SelectMany(method => s_setups.Where(setup => setup.Options == method.GetParameters()[1].ParameterType).DefaultIfEmpty(), (method, setup) => new EstimatorCase(method, setup))];

    public string Name => _setup is { Variant: { Length: > 0 } variant } ? $"{_method.Name}.{variant}" : _method.Name;

    public Type EstimatorType => _method.ReturnType;

    /// <summary>Whether the fitted model reads images; otherwise it reads texts.</summary>
    public bool ReadsImages => TransformerType.IsAssignableTo(typeof(ImageTransformer));

    /// <summary>Whether labels are read: classifiers learn them, or take their classes from them.</summary>
    public bool ReadsLabels => TransformerType.IsAssignableTo(typeof(ClassifierTransformer));

    /// <summary>Whether fitting reads a checkpoint, and perhaps texts, and learns nothing.</summary>
    public bool OnlyScores => !Learns;

    /// <summary>Whether fitting learns from the rows.</summary>
    public bool Learns => OptionsType.IsAssignableTo(typeof(TrainerOptions));

    /// <summary>Whether it does so in steps of training, with what is random in them.</summary>
    public bool Trains => Learns && _setup?.Trains is not false;

    /// <summary>Whether it trains a whole network by a recipe.</summary>
    public bool HasRecipe => OptionsType.IsAssignableTo(typeof(ImageClassifierOptions));

    /// <summary>Whether fitting may take long: it learns, or reads a text for each class.</summary>
    public bool FitsLong => Learns || OptionsType == typeof(ClipZeroShotOptions);

    /// <summary>The column of <see cref="ContractData"/> that is scored.</summary>
    public string Input => ReadsImages ? "Image" : "Text";

    /// <summary>The column of <see cref="ContractData"/> that fitting reads, where it <see cref="FitsLong"/>.</summary>
    public string FitInput => Learns ? Input : "Label";

    /// <summary>What fitting gives.</summary>
    public Type TransformerType => EstimatorType.GetMethod(nameof(IEstimator<>.Fit))!.ReturnType;

    public Type OptionsType => _method.GetParameters()[1].ParameterType;

    public static bool IsEstimator(Type type) => type.GetInterfaces().Append(type)
        .Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IEstimator<>));

    public static EstimatorCase Of(string name) => All.Single(estimator => estimator.Name == name);

    /// <summary>Options that make a tiny network, train it for a moment, and ask for all columns.</summary>
    public OptionBag Options(int imageSize = ContractData.Side)
    {
        var options = new OptionBag(Activator.CreateInstance(OptionsType)!)
            .SetIfPresent(nameof(ViTClassifierOptions.ImageSize), imageSize).SetIfPresent(nameof(ViTClassifierOptions.PatchSize), imageSize / 2)
            .For<ScoringOptions>(scoring => (scoring.Device, scoring.ScoringBatchSize) = ("cpu", 4))
            .For<TrainerOptions>(trainer => (trainer.Epochs, trainer.BatchSize) = (2, 8))
            .WithAllColumns();
        _setup?.Prepare(options, imageSize);
        return options;
    }

    public IEstimator<ITransformer> Create(MLContext context, OptionBag options) =>
        (IEstimator<ITransformer>)_method.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [CatalogOf(context), options.Value], null)!;

    /// <summary>Fits with <see cref="Options"/>, changed or not, on a few images.</summary>
    public ITransformer Fit(Action<OptionBag>? change = null, int seed = 1)
    {
        var context = new MLContext(seed);
        var options = Options();
        change?.Invoke(options);
        return Create(context, options).Fit(ContractData.Images(context));
    }

    private object CatalogOf(MLContext context)
    {
        var wanted = _method.GetParameters()[0].ParameterType;
        var catalogs = typeof(MLContext).GetProperties().Select(property => property.GetValue(context)!).ToArray();
        var nested = catalogs.SelectMany(catalog => catalog.GetType().GetProperties().Where(property => property.GetIndexParameters().Length == 0)
            .Select(property => property.GetValue(catalog)));
        return catalogs.Concat(nested).First(wanted.IsInstanceOfType)!;
    }
}
