using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Families.ViT;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Families.Clip;

/// <summary>CLIP's vision tower: a Vision Transformer whose vector is projected into the space that it shares with texts.</summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Initialize"/>.</remarks>
internal sealed class ClipVisionNetwork : nn.Module<Tensor, Tensor>, INetwork<ClipConfig, ClipVisionNetwork>, IFeatureNetwork
{
    private readonly ViTNetwork vit;
    private readonly Linear? proj;

    public ClipVisionNetwork(ClipConfig config, Generator? generator = null) : base(nameof(ClipVisionNetwork))
    {
        Config = config.Validate();
        vit = new(config.Vision, generator);
        proj = config.VisionProjection ? new(config.Vision.Width, config.EmbeddingSize, hasBias: false) : null;
        RegisterComponents();
    }

    /// <summary>Of both towers, of which the vision tower is one.</summary>
    public ClipConfig Config { get; }

    public static ClipVisionNetwork Create(ClipConfig config, Generator? generator = null) => new(config, generator);

    public IReadOnlyList<ImageFeature> Features => [new(IFeatureNetwork.Embedding, [Config.EmbeddingSize])];

    /// <inheritdoc cref="Transformer.GradientCheckpointing"/>
    public bool GradientCheckpointing { get => vit.GradientCheckpointing; set => vit.GradientCheckpointing = value; }

    /// <summary>Vectors [B, E], not of length 1, of normalized images [B, C, H, W].</summary>
    public override Tensor forward(Tensor pixels) => forward(pixels, null);

    /// <param name="pixels">Normalized images [B, C, H, W].</param>
    /// <param name="trace">Takes what <see cref="ViTNetwork.Tokens"/> tells, and <c>pooled</c>, where it wants them.</param>
    public Tensor forward(Tensor pixels, Trace? trace)
    {
        using var scope = NewDisposeScope();
        var pooled = vit.Embedding(vit.Tokens(pixels, trace));                  // [B, D]
        trace?.Add("pooled", pooled);
        return (proj?.forward(pooled) ?? pooled).MoveToOuterDisposeScope();     // [B, E]
    }

    /// <summary>The vector of length 1.</summary>
    public IReadOnlyDictionary<string, Tensor> Describe(Tensor pixels, IReadOnlySet<string> wanted) =>
        new Dictionary<string, Tensor> { [IFeatureNetwork.Embedding] = ClipNetwork.Normalize(forward(pixels)) };

    /// <summary>Draws every weight.</summary>
    public ClipVisionNetwork Initialize(Generator generator)
    {
        vit.Draw(generator);
        if (proj is not null)
            Initialization.Fill(proj, 1 / Math.Sqrt(vit.Config.Width), generator);
        return this;
    }
}
