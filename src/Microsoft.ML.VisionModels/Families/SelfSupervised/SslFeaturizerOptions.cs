using Microsoft.ML.SearchSpace;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.SelfSupervised;
using Microsoft.ML.VisionModels.Interop;
using Microsoft.ML.VisionModels.Layers;
using Microsoft.ML.VisionModels.Pipelines;
using Microsoft.ML.VisionModels.Training;

namespace Microsoft.ML.VisionModels;

/// <summary>
/// What <c>mlContext.Transforms.SslFeaturizer</c> can be told. Batches are made of different images and never split
/// (<see cref="TrainerOptions.AccumulationSteps"/> is 1), since methods compare the images of a batch, or take statistics over it.
/// </summary>
/// <remarks>
/// As in the methods' own code, <see cref="TrainerOptions.WeightDecay"/> spares vectors alone, not tokens and positions; with
/// <see cref="SslOptimizer.Sgd"/> and <see cref="SslOptimizer.Lars"/> it is a part of the gradient. DINO clips the gradient of each parameter
/// by itself. <see cref="TrainerOptions.EarlyStoppingPatience"/> is 0 by default: neighbors waver from epoch to epoch.
/// </remarks>
public sealed class SslFeaturizerOptions : TrainerOptions, IFeatureColumns
{
    /// <summary>Options with their defaults.</summary>
    public SslFeaturizerOptions() => EarlyStoppingPatience = 0;

    /// <summary>How to learn. Default <see cref="SslMethod.SimClr"/>; <see cref="SslMethod.None"/> takes the features of a published <see cref="ScoringOptions.Checkpoint"/> as they are.</summary>
    public SslMethod Method { get; set; } = SslMethod.SimClr;

    /// <summary>The network that is trained from random weights. Default <see cref="SslBackbone.ResNetSmallImage"/>. A <see cref="ScoringOptions.Checkpoint"/> brings its own.</summary>
    public SslBackbone Backbone { get; set; } = SslBackbone.ResNetSmallImage;

    /// <summary>Height and width of the network's input in pixels; null takes the backbone's or the checkpoint's.</summary>
    public int? ImageSize { get; set; }

    /// <summary>What of a Vision Transformer's tokens makes the feature vector; null, the default, takes the class token where there is one. Other networks take the mean over the image.</summary>
    public SslPooling? Pooling { get; set; }

    /// <summary>
    /// The column of labels by which features are judged, and no more: nothing is learned from them, and rows without a label are learned
    /// from too. With it the accuracy of neighbors (<c>KnnAccuracy</c>) on the held-out rows stands in the history, and the epoch that has
    /// the best is kept. Null, the default: no column is read, whatever there is, and the last weights are kept.
    /// </summary>
    public string? LabelColumnName { get; set; }

    /// <summary>The column for the feature vector; null does not make it. Default "Embedding".</summary>
    [ScoringSetting]
    public string? EmbeddingColumnName { get; set; } = IFeatureNetwork.Embedding;

    /// <summary>The column for the feature map, [features, rows, columns]: a Vision Transformer's patch tokens, or the last stage of another network; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? FeatureMapColumnName { get; set; }

    /// <summary>The column for what each head of a Vision Transformer's last block looks at, [heads, rows, columns], as DINO shows it; null, the default, does not make it.</summary>
    [ScoringSetting]
    public string? AttentionMapsColumnName { get; set; }

    /// <summary>Passes over the training rows; at least 1. Default 100: without labels there is less to learn from in each.</summary>
    [Range(10, 400, 100, true)]
    public override int Epochs { get; set; } = 100;

    /// <summary>Rows per step; at least 2. Default 256: SimCLR tells images from the others of their batch.</summary>
    [Choice(new object[] { 64, 128, 256, 512 }, 256)]
    public override int BatchSize { get; set; } = 256;

    /// <summary>How the weights are changed. Default <see cref="SslOptimizer.AdamW"/>.</summary>
    public SslOptimizer Optimizer { get; set; }

    /// <summary>The smallest share of the image's area that a view shows, above 0 to 1. Default 0.2. DINO's views have <see cref="DinoOptions.CropDivision"/>.</summary>
    [Range(0.08, 0.6, 0.2)]
    public double MinViewArea { get; set; } = 0.2;

    /// <summary>Mirror half of the views. Default true; set false where left and right matter.</summary>
    public bool HorizontalFlip { get; set; } = true;

    /// <summary>How much the colors of views differ: by what the papers' changes are multiplied, 0 for none to 2. Default 1. Set less where color tells things apart.</summary>
    [Range(0.0, 1.5, 1.0)]
    public double ColorStrength { get; set; } = 1;

    /// <summary>What <see cref="SslMethod.SimClr"/> is told.</summary>
    [NestOption]
    public SimClrOptions SimClr { get; set; } = new();

    /// <summary>What <see cref="SslMethod.Byol"/> is told.</summary>
    [NestOption]
    public ByolOptions Byol { get; set; } = new();

    /// <summary>What <see cref="SslMethod.Dino"/> is told.</summary>
    [NestOption]
    public DinoOptions Dino { get; set; } = new();

    /// <summary>What <see cref="SslMethod.Mae"/> is told.</summary>
    [NestOption]
    public MaeOptions Mae { get; set; } = new();

    /// <summary>Whether anything is learned.</summary>
    internal bool Trains => Method != SslMethod.None;

    IEnumerable<(string Feature, string? Column)> IFeatureColumns.Features =>
    [
        (IFeatureNetwork.Embedding, EmbeddingColumnName), (IFeatureNetwork.FeatureMap, FeatureMapColumnName), (IFeatureNetwork.AttentionMaps, AttentionMapsColumnName),
    ];

    internal override IEnumerable<string?> OutputNames => ((IFeatureColumns)this).Features.Select(feature => feature.Column);

    internal override IEnumerable<InputColumn> Inputs => Trains && LabelColumnName is { } label ? [.. base.Inputs, LabelColumn.Input(label)] : base.Inputs;

    private protected override RecipeDefaults Defaults => (Checkpoint, Optimizer) switch
    {
        (_, SslOptimizer.Lars) => new() { LearningRate = 0.3 * BatchSize / 256, WeightDecay = 1e-6 },      // SimCLR's
        (_, SslOptimizer.Sgd) => new() { LearningRate = 0.06 * BatchSize / 256, WeightDecay = 5e-4 },
        (null, _) => RecipeDefaults.Plain,
        _ => new() { LearningRate = 1e-4 },
    };

    /// <summary>All that the training is told, with the method's own schedules.</summary>
    internal TrainingPlan MethodPlan(int seed)
    {
        var plan = Plan(seed) with
        {
            Optimizer = groups => Optimizer switch
            {
                SslOptimizer.Lars => new Lars(groups),
                SslOptimizer.Sgd => new Sgd(groups),
                _ => new AdamW(groups, Beta1, Beta2),
            },
        };
        return Method switch
        {
            SslMethod.Dino => Decaying(plan, Dino.FinalWeightDecay ?? (Optimizer == SslOptimizer.AdamW ? 0.4 : WeightDecay)) with
            {
                Schedule = new CosineFromZero(WarmupFraction, final: 1e-3, peakInWarmup: true),
                ClipsEachParameter = true,
            },
            SslMethod.Mae => plan with { Schedule = new CosineFromZero(WarmupFraction, final: 0, peakInWarmup: false) },
            _ => plan,
        };

        TrainingPlan Decaying(TrainingPlan plan, double end) => end == 0
            ? plan with { DecaySchedule = new CosineBetween(1, 0) }
            : plan with { WeightDecay = end, DecaySchedule = new CosineBetween(WeightDecay / end, 1) };
    }

    internal override ScoringOptions Copy()
    {
        var copy = (SslFeaturizerOptions)base.Copy();
        (copy.SimClr, copy.Byol, copy.Dino, copy.Mae) = (SimClr.Copy(), Byol.Copy(), Dino.Copy(), Mae.Copy());
        return copy;
    }

    internal override void Validate()
    {
        base.Validate();
        OptionChecks.RequireDefined(Method, nameof(Method));
        OptionChecks.RequireDefined(Backbone, nameof(Backbone));
        OptionChecks.RequireDefined(Optimizer, nameof(Optimizer));
        if (Pooling is { } pooling)
            OptionChecks.RequireDefined(pooling, nameof(Pooling));
        OptionChecks.RequireAtLeast(ImageSize, 1);
        OptionChecks.Require(MinViewArea, MinViewArea is > 0 and <= 1, "above 0 and at most 1 (the whole image)");
        OptionChecks.Require(ColorStrength, ColorStrength is >= 0 and <= 2, "from 0 to 2");
        if (!Trains)
        {
            RequireCheckpoint();
            return;
        }
        OptionChecks.Require(BatchSize, BatchSize >= 2, "at least 2: an image alone has nothing to be told from, and no statistics");
        OptionChecks.Require(AccumulationSteps, AccumulationSteps == 1, "1: a method compares the images of a batch, which cannot be split. GradientCheckpointing saves memory instead");
        if (EmaDecay > 0 && Method is (SslMethod.Byol or SslMethod.Dino))
            throw new ArgumentException($"{nameof(EmaDecay)} is {EmaDecay}, but the teacher of {Method} is such an average of the weights itself; leave it 0.", nameof(EmaDecay));
        if (Method == SslMethod.Mae && Checkpoint is null && !SslBackbones.IsViT(Backbone))
            throw new ArgumentException($"{nameof(Backbone)} is {Backbone}, but masked autoencoders hide the patches of a Vision Transformer.", nameof(Backbone));
        SimClr.Validate();
        Byol.Validate();
        Dino.Validate();
        Mae.Validate();
    }
}
