using Microsoft.ML.AutoML;
using Microsoft.ML.SearchSpace;
using Microsoft.ML.SearchSpace.Option;
using Microsoft.ML.VisionModels.AutoML;
using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;
using AutoMLSpace = Microsoft.ML.SearchSpace.SearchSpace;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>AutoML's search spaces and this package's are the same.</summary>
public class SpaceTests
{
    private readonly MLContext _context = new(seed: 1);

    [Fact]
    public void WhatTheSamplersProposeComesBackThroughParameter()
    {
        var space = PipelineSpaceOf(_context.Auto().ImageClassification());
        Assert.Equal(["ViTClassifier", "SwinClassifier"], space.Space.Branches.Select(branch => branch.Name));
        Assert.Equal(PlainJson.Write(DeclaredSpace.Of(typeof(ViTClassifierOptions))), PlainJson.Write(space.Space["ViTClassifier"].Dimensions));
        var appended = PipelineSpaceOf(_context.Transforms.Conversion.MapValueToKey("Label").Append(_context.Auto().ImageClassification()));
        Assert.Equal(PlainJson.Write(space.Space), PlainJson.Write(appended.Space));
        var random = new Random(1);
        for (var i = 0; i < 100; i++)
        {
            var proposal = new RandomSampler().Propose(new(space.Space, [], true), random);
            var back = space.ToProposal(space.ToParameter(new() { Number = 0, Candidate = proposal.Candidate, Parameters = proposal.Parameters }));
            Assert.Equal(proposal.Candidate, back.Candidate);
            Assert.Equal(proposal.Parameters.OrderBy(pair => pair.Key), back.Parameters.OrderBy(pair => pair.Key));
        }
    }

    [Fact]
    public void WhatAutoMLProposesIsInsideOfTheSpace()
    {
        ViTClassifierOptions? made = null;
        var estimator = CandidateEstimator.Of((MLContext context, ViTClassifierOptions options) =>
        {
            made = options;
            return context.Transforms.ViTClassifier(options);       // which validates
        }, search: null);
        var random = new Random(1);
        for (var i = 0; i < 102; i++)
        {
            // The corners, too: AutoML's tuners step on them.
            var place = Enumerable.Range(0, estimator.SearchSpace.FeatureSpaceDim).Select(_ => i < 100 ? random.NextDouble() : i - 100).ToArray();
            estimator.BuildFromOption(_context, estimator.SearchSpace.SampleFromFeatureSpace(place));
            Assert.InRange(made!.Epochs, 5, 199);
            Assert.Contains(made.ImageSize, new int?[] { 32, 48, 64 });
        }
    }

    [Fact]
    public void OnlyWhatIsSearchedIsSet()
    {
        ViTClassifierOptions? made = null;
        var estimator = CandidateEstimator.Of((MLContext context, ViTClassifierOptions options) =>
        {
            made = options;
            return context.Transforms.ViTClassifier(options);
        }, candidate => candidate.Only(o => o.Epochs).Range(o => o.Epochs, 10, 100));
        estimator.BuildFromOption(_context, estimator.SearchSpace.SampleFromFeatureSpace([0.5]));
        // What the recipe says goes on to follow the epochs.
        made!.Epochs = 100;
        Assert.Equal(new ViTClassifierOptions { Epochs = 100 }.RandomErasing, made.RandomErasing);
    }

    /// <summary>As the documentation of AutoML has it, without the adapter's catalog.</summary>
    [Fact]
    public void TheOptionsClassesAreSearchSpacesOfAutoMLAsTheyAre()
    {
        var search = new SearchSpace<ViTClassifierOptions>();
        var options = search.SampleFromFeatureSpace(search.Default);
        Assert.Equal((ViTPreset.SmallImage, 32, 64), (options.Preset, options.ImageSize, options.BatchSize));
        Assert.Equal(1e-3, options.LearningRate, 1e-9);
        Assert.Equal(new ViTClassifierOptions { Epochs = options.Epochs }.RandomErasing, options.RandomErasing);

        // Its dimensions are found without knowing the class.
        var sweepable = _context.Auto().CreateSweepableEstimator((context, o) => context.Transforms.ViTClassifier(o), search);
        var space = PipelineSpaceOf(_context.Transforms.Conversion.MapValueToKey("Label").Append(sweepable)).Space;
        var declared = DeclaredSpace.Of(typeof(ViTClassifierOptions)).ToArray();
        Assert.Equal(declared.Select(dimension => dimension.Name), space.Branches[0].Dimensions.Select(dimension => dimension.Name.Split('.')[^1]));
        foreach (var (mine, theirs) in declared.Zip(space.Branches[0].Dimensions))
        {
            Assert.Equal(mine.Count, theirs.Count);
            if (mine is NumberDimension number)
                Assert.Equal((number.Low, number.High, Math.Round(number.Start, 9)), (((NumberDimension)theirs).Low, ((NumberDimension)theirs).High, Math.Round(((NumberDimension)theirs).Start, 9)));
            else
                Assert.Equal(mine.ValueAt(mine.Initial), theirs.ValueAt(theirs.Initial));
        }
    }

    [Fact]
    public void SpacesOfOthersAreSearchedToo()
    {
        var inner = new AutoMLSpace { ["Rate"] = new UniformSingleOption(0.1f, 10, true, 1), ["Layers"] = new UniformIntOption(1, 4) };
        var search = new AutoMLSpace { ["Inner"] = inner, ["Name"] = new ChoiceOption("a", "b"), ["Alone"] = new ChoiceOption("only") };
        var other = new SweepableEstimator((_, _) => throw new NotSupportedException(), search);
        var space = PipelineSpaceOf(_context.Auto().ViTClassifier(search: vit => vit.Only(o => o.LearningRate)).Append(other), ("Sampling", new AutoMLSpace { ["Share"] = new UniformDoubleOption(0, 1, false, 0.25) }));
        var branch = Assert.Single(space.Space.Branches);
        Assert.Equal("ViTClassifier + e1", branch.Name);
        Assert.Equal(["ViTClassifier.LearningRate", "e1.Inner.Layers", "e1.Inner.Rate", "e1.Name", "Sampling.Share"], branch.Dimensions.Select(dimension => dimension.Name));
        Assert.Equal([1e-3, 1, 1.0, "a", 0.25], branch.Initial.Parameters.Values.Select(value => value is double d ? Math.Round(d, 6) : value));

        var trial = new SweepTrial { Number = 0, Candidate = branch.Name, Parameters = branch.At([0.5, 1, 1, 1, 1]).Parameters };
        var parameter = space.ToParameter(trial);
        Assert.Equal("only", parameter["_pipeline_"]["e1"]["Alone"].AsType<string>());
        Assert.Equal((3, 10f, "b", 1.0), (parameter["_pipeline_"]["e1"]["Inner"]["Layers"].AsType<int>(), parameter["_pipeline_"]["e1"]["Inner"]["Rate"].AsType<float>(),
            parameter["_pipeline_"]["e1"]["Name"].AsType<string>(), parameter["Sampling"]["Share"].AsType<double>()));
    }

    private static PipelineSpace PipelineSpaceOf(SweepablePipeline pipeline, params (string Key, AutoMLSpace Space)[] others)
    {
        var space = new AutoMLSpace { ["_pipeline_"] = pipeline.SearchSpace };
        foreach (var (key, other) in others)
            space.Add(key, other);
        return new(space, pipeline);
    }
}
