using Microsoft.ML.AutoML;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.SearchSpace.Option;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using AutoMLSpace = Microsoft.ML.SearchSpace.SearchSpace;

namespace Microsoft.ML.VisionModels.AutoML;

/// <summary>A sweep's candidate as AutoML takes it.</summary>
internal sealed class CandidateEstimator : SweepableEstimator
{
    private CandidateEstimator(Branch branch, Func<MLContext, Parameter, IEstimator<ITransformer>> factory)
        : base(factory, SpaceOf(branch)) => Branch = branch;

    /// <summary>The candidate's name and what is searched.</summary>
    public Branch Branch { get; }

    /// <param name="estimator">Makes the estimator in the context of a trial.</param>
    /// <param name="search">Says what is searched, and what is not.</param>
    public static CandidateEstimator Of<T>(Func<MLContext, T, IEstimator<ITransformer>> estimator, Action<SweepCandidate<T>>? search)
        where T : class, new()
    {
        var branch = Candidate(null!).Branch;
        // Only what is searched is set: the whole of the options, as AutoML's own way would, sets everything that the recipe is to say.
        return new(branch, (context, parameter) => Candidate(context).Create(
            branch.Dimensions.ToDictionary(dimension => dimension.Name, dimension => ParameterValue.Of(dimension, parameter[dimension.Name])),
            TrialContext.WishesOf(context)));

        SweepCandidate<T> Candidate(MLContext context)
        {
            var candidate = SweepCandidate.Of((T options) => estimator(context, options));
            search?.Invoke(candidate);
            return candidate;
        }
    }

    private static AutoMLSpace SpaceOf(Branch branch)
    {
        var space = new AutoMLSpace();
        foreach (var dimension in branch.Dimensions)
        {
            space.Add(dimension.Name, dimension switch
            {
                ChoiceDimension choice => new ChoiceOption([.. choice.Values], choice.Start),
                // AutoML leaves out the upper end of whole numbers.
                NumberDimension { IsInteger: true } whole => new UniformIntOption((int)whole.Low, (int)whole.High + 1, whole.IsLogarithmic, (int)whole.Start),
                NumberDimension number => new UniformDoubleOption(number.Low, number.High, number.IsLogarithmic, number.Start),
                _ => throw new InvalidOperationException($"{dimension.Name} is of an unknown kind."),
            });
        }
        return space;
    }
}
