using Microsoft.ML.AutoML;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.SearchSpace.Option;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using AutoMLSpace = Microsoft.ML.SearchSpace.SearchSpace;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>
/// An experiment's search space as samplers and studies see it: a branch for each of the pipeline's alternatives, and in it a
/// dimension for each option of its estimators, and of whatever else the experiment searches.
/// </summary>
internal sealed class PipelineSpace
{
    /// <summary>Where AutoML keeps a pipeline's parameters, and in them the alternative.</summary>
    public const string Pipeline = "_pipeline_", Schema = "_SCHEMA_";

    private readonly AutoMLSpace _space;
    private readonly List<Alternative> _alternatives = [];

    public PipelineSpace(AutoMLSpace space, SweepablePipeline pipeline)
    {
        _space = space;
        var common = space.Where(pair => pair.Key != Pipeline).OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => Flatten(pair.Value, pair.Key, [pair.Key])).ToArray();
        foreach (var schema in ((ChoiceOption)((AutoMLSpace)space[Pipeline])[Schema]).Choices.Select(choice => choice.AsType<string>()))
        {
            var searched = pipeline.BuildSweepableEstimatorPipeline(schema).Estimators.Where(pair => pair.Value.SearchSpace.FeatureSpaceDim > 0).ToArray();
            var name = string.Join(" + ", searched.Select(NameOf));
            if (name.Length == 0 || _alternatives.Any(other => other.Name == name))
                name = schema;
            // One estimator's options are told apart by their own names.
            var options = searched.SelectMany(pair => Flatten(pair.Value, searched.Length == 1 ? "" : NameOf(pair) + ".", [Pipeline, pair.Key]));
            _alternatives.Add(new(name, schema, [.. options, .. common]));
        }
        Space = new([.. _alternatives.Select(alternative => new Branch(alternative.Name, [.. alternative.Options.Select(option => option.Dimension)]))]);
    }

    public Space Space { get; }

    /// <summary>A trial's hyper-parameters as AutoML wants them.</summary>
    public Parameter ToParameter(SweepTrial trial)
    {
        var parameter = Default();
        var alternative = _alternatives.First(alternative => alternative.Name == trial.Candidate);
        foreach (var (dimension, source, path) in alternative.Options)
            At(parameter, path[..^1])[path[^1]] = ParameterValue.ToParameter(source, dimension, trial.Parameters[dimension.Name]);
        parameter[Pipeline][Schema] = Parameter.FromString(alternative.Schema);
        return parameter;
    }

    /// <summary>What a tuner of AutoML has chosen.</summary>
    public Proposal ToProposal(Parameter parameter)
    {
        var schema = parameter[Pipeline][Schema].AsType<string>();
        var alternative = _alternatives.First(alternative => alternative.Schema == schema);
        return new(alternative.Name, alternative.Options.ToDictionary(option => option.Dimension.Name, option => ParameterValue.Of(option.Dimension, At(parameter, option.Path))));
    }

    /// <summary>Where all begins.</summary>
    public Parameter Default() => _space.SampleFromFeatureSpace(_space.Default);

    private static Parameter At(Parameter parameter, IEnumerable<string> path) => path.Aggregate(parameter, (inner, key) => inner[key]);

    private static string NameOf(KeyValuePair<string, SweepableEstimator> pair) => pair.Value switch
    {
        CandidateEstimator candidate => candidate.Branch.Name,
        // AutoML names its own trainers, and no one else's.
        var other when other.EstimatorType.ToString() is var name and not "Unknown" => name,
        _ => pair.Key,
    };

    /// <summary>The options of an estimator: a candidate knows its dimensions itself, to the last digit.</summary>
    private static IEnumerable<Option> Flatten(SweepableEstimator estimator, string prefix, string[] path) => estimator is CandidateEstimator candidate
        ? candidate.Branch.Dimensions.Select(dimension => new Option(dimension with { Name = prefix + dimension.Name }, estimator.SearchSpace[dimension.Name], [.. path, dimension.Name]))
        : estimator.SearchSpace.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => Flatten(pair.Value, prefix + pair.Key, [.. path, pair.Key]));

    private static IEnumerable<Option> Flatten(OptionBase option, string name, string[] path) => option switch
    {
        AutoMLSpace space => space.OrderBy(pair => pair.Key, StringComparer.Ordinal).SelectMany(pair => Flatten(pair.Value, $"{name}.{pair.Key}", [.. path, pair.Key])),
        { FeatureSpaceDim: 0 } => [],   // one choice alone
        _ => [new(DimensionOf(option, name), option, path)],
    };

    private static Dimension DimensionOf(OptionBase option, string name)
    {
        if (option is ChoiceOption choice)
            return new ChoiceDimension(name, [.. choice.Choices.Select(ParameterValue.Of)], ParameterValue.Of(choice.SampleFromFeatureSpace(choice.Default!)));
        var number = option as UniformNumericOption ?? throw new NotSupportedException($"{name} is a {option.GetType().Name}, which this package's samplers do not know.");
        var isInteger = option is UniformIntOption;
        var place = number.Default![0];
        var start = number.LogBase ? number.Min * Math.Pow(number.Max / number.Min, place) : number.Min + (number.Max - number.Min) * place;
        // AutoML leaves out the upper end of whole numbers.
        var high = number.Max - (isInteger ? 1 : 0);
        return new NumberDimension(name, number.Min, high, Math.Clamp(isInteger ? Math.Round(start) : start, number.Min, high), number.LogBase, isInteger);
    }

    /// <summary>One of the pipelines that a sweepable one stands for.</summary>
    private sealed record Alternative(string Name, string Schema, IReadOnlyList<Option> Options);

    /// <summary>An option that is searched, and where AutoML's parameters have it.</summary>
    private sealed record Option(Dimension Dimension, OptionBase Source, string[] Path);
}
