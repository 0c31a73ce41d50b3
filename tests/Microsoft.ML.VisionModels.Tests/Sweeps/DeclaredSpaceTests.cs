using Microsoft.ML.VisionModels.Sweeps.Samplers;
using Microsoft.ML.VisionModels.Sweeps.Spaces;

namespace Microsoft.ML.VisionModels.Tests;

/// <summary>Every options class of a trainer, found by looking.</summary>
public class DeclaredSpaceTests
{
    /// <summary>Numbers, choices and switches that a sweep leaves alone, each with its reason.</summary>
    private static readonly Dictionary<string, string> s_notTuned = new()
    {
        ["Steps"] = "Epochs is searched", ["Minutes"] = "a budget", ["Beta1"] = "the paper's", ["Beta2"] = "the paper's",
        ["Recipe"] = "RecipeStrength tunes it", ["LabelSmoothing"] = "RecipeStrength tunes it", ["HorizontalFlip"] = "depends on what the images show",
        ["VerticalFlip"] = "depends on what the images show", ["CropPadding"] = "RecipeStrength tunes it", ["MinCropArea"] = "RecipeStrength tunes it",
        ["ColorJitter"] = "depends on what the images show", ["RandAugmentOperations"] = "the recipe's", ["RandAugmentMagnitude"] = "RecipeStrength tunes it",
        ["RandomErasing"] = "RecipeStrength tunes it", ["MixUp"] = "the recipe's", ["CutMix"] = "the recipe's", ["MixProbability"] = "RecipeStrength tunes it",
        ["EmaDecay"] = "the recipe's", ["GradientClip"] = "a safeguard", ["ClassBalance"] = "depends on what is asked of rare classes",
        ["TrainedParts"] = "what the user wants trained", ["LastBlocks"] = "what the user wants trained", ["Checkpoint"] = "what the user has", ["CheckpointWeights"] = "what the user has", ["QuickGelu"] = "what the user has", ["PatchSize"] = "goes with the preset",
        ["WindowSize"] = "goes with the preset", ["AccumulationSteps"] = "changes memory, not what is learned", ["GradientCheckpointing"] = "changes memory, not what is learned",
        ["TrainingPrecision"] = "speed", ["EarlyStoppingPatience"] = "a safeguard", ["ValidationFraction"] = "how it is judged", ["SnapshotSteps"] = "no part in learning",
        ["SnapshotMinutes"] = "no part in learning", ["Seed"] = "chance", ["ScoringBatchSize"] = "speed of scoring", ["Precision"] = "speed of scoring",
        ["SkipInvalidImages"] = "no part in learning", ["TestTimeAugmentation"] = "scoring", ["ImageCacheMegabytes"] = "memory",
        ["Method"] = "what the user wants done", ["CacheWeight"] = "nothing is trained by it", ["CacheSharpness"] = "nothing is trained by it", ["ContextTokens"] = "the paper's",
        ["TrainedTowers"] = "what the user wants trained", ["WeightInterpolation"] = "chosen after training", ["VocabularySize"] = "goes with the texts",
        ["Backbone"] = "what the user wants trained", ["Pooling"] = "what the user wants of it", ["Optimizer"] = "goes with the batch", ["SslFeaturizerOptions.ImageSize"] = "goes with the backbone",
        ["UseTarget"] = "another method", ["SimClrOptions.HiddenSize"] = "goes with the projection", ["LocalCropSize"] = "goes with the images", ["HeadHiddenSize"] = "the authors'", ["BottleneckSize"] = "the authors'",
        ["HeadLayers"] = "the authors'", ["HeadBatchNorm"] = "goes with the backbone", ["NormalizePrototypes"] = "goes with the backbone", ["StudentTemperature"] = "the teacher's is searched",
        ["WarmupTeacherTemperature"] = "the teacher's is searched", ["TeacherTemperatureWarmupEpochs"] = "the teacher's is searched", ["CenterMomentum"] = "the authors'", ["FrozenLastLayerEpochs"] = "the authors'",
        ["FinalWeightDecay"] = "WeightDecay is searched", ["DecoderWidth"] = "goes when training is over", ["DecoderDepth"] = "goes when training is over", ["DecoderHeads"] = "goes when training is over",
        ["DiffusionTrainerOptions.ImageSize"] = "what the user wants made", ["Prediction"] = "velocity is steady, and goes with the noise", ["MinSnr"] = "the paper's", ["OffsetNoise"] = "depends on what is wanted",
        ["PreviewEpochs"] = "no part in learning", ["LoraRank"] = "what the user wants trained", ["LoraAlpha"] = "goes with the rank",
        ["ClipTrainerOptions.Preset"] = "the larger ones are for millions of pairs", ["ClipTrainerOptions.ImageSize"] = "a checkpoint has its own",
    };

    public static TheoryData<Type> Trainers => [.. typeof(TrainerOptions).Assembly.GetExportedTypes().Where(type => type.IsSubclassOf(typeof(TrainerOptions)) && !type.IsAbstract)];

    [Theory]
    [MemberData(nameof(Trainers))]
    public void WhatIsTunableIsDeclaredAndBeginsAtItsDefault(Type type)
    {
        var dimensions = DeclaredSpace.Of(type).ToDictionary(dimension => dimension.Name);
        foreach (var nested in type.GetProperties().Where(property => property.IsDefined(typeof(SearchSpace.NestOptionAttribute), inherit: true)))
            Check(nested.PropertyType, nested.Name + ".", dimensions);
        Check(type, "", dimensions);
        Assert.Superset(new HashSet<string> { "LearningRate", "WeightDecay", "BatchSize", "Epochs" }, dimensions.Keys.ToHashSet());
    }

    private static void Check(Type type, string prefix, Dictionary<string, Dimension> dimensions)
    {
        var defaults = Activator.CreateInstance(type)!;
        foreach (var property in type.GetProperties().Where(property => property.CanWrite))
        {
            var plain = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
            if (!plain.IsEnum && plain != typeof(int) && plain != typeof(double) && plain != typeof(bool))
                continue;
            var leftOut = s_notTuned.ContainsKey(property.Name) || s_notTuned.ContainsKey($"{type.Name}.{property.Name}");
            Assert.True(dimensions.ContainsKey(prefix + property.Name) != leftOut, $"{type.Name}.{property.Name} is neither declared nor left out with a reason, or both.");
            if (!dimensions.TryGetValue(prefix + property.Name, out var dimension))
                continue;

            // Null stands for the preset's, which is where the search begins too.
            var initial = dimension.ValueAt(dimension.Initial);
            if (property.GetValue(defaults) is { } value)
                Assert.Equal(DeclaredSpace.Plain(property, value) is double d ? d : DeclaredSpace.Plain(property, value), initial is double i ? Math.Round(i, 12) : initial);
        }
    }

    [Theory]
    [MemberData(nameof(Trainers))]
    public void EveryPlaceOfTheSpaceIsValid(Type type)
    {
        var branch = new Branch("only", [.. DeclaredSpace.Of(type)]);
        var random = new Random(1);
        for (var i = 0; i < 200; i++)
        {
            var options = (TrainerOptions)Activator.CreateInstance(type)!;
            foreach (var (name, value) in new RandomSampler().Propose(new(new([branch]), [], true), random).Parameters)
                DeclaredSpace.Set(options, name, value);
            if (options is ClipFewShotOptions fewShot)
                fewShot.Checkpoint = "needed";
            options.Validate();
        }
    }

    [Fact]
    public void ReadsMLNetsAttributesAsMLNetDoes()
    {
        var property = typeof(Declared).GetProperty(nameof(Declared.Whole))!;
        Assert.Equal(new NumberDimension("Whole", 1, 2, 1, IsInteger: true), DeclaredSpace.Of(property));       // the upper end is left out
        Assert.Equal(new NumberDimension("Real", 0.5, 8, 2, IsLogarithmic: true), DeclaredSpace.Of(typeof(Declared).GetProperty(nameof(Declared.Real))!));
        Assert.Equal([false, true], ((ChoiceDimension)DeclaredSpace.Of(typeof(Declared).GetProperty(nameof(Declared.Switch))!)!).Values);
        Assert.Null(DeclaredSpace.Of(typeof(Declared).GetProperty(nameof(Declared.Other))!));
    }

    private sealed class Declared
    {
        [SearchSpace.Range(1, 3)]
        public int Whole { get; set; }

        [SearchSpace.Range(0.5f, 8f, 2f, true)]
        public float? Real { get; set; }

        [SearchSpace.BooleanChoice(true)]
        public bool Switch { get; set; }

        public int Other { get; set; }
    }
}
