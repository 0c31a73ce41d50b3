using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>The attention after each residual block of a stage.</summary>
internal enum StageAttention
{
    None,

    /// <summary>Between places.</summary>
    Places,

    /// <summary>Between places, and to words.</summary>
    Words,
}

/// <summary>What stands between the ways down and up.</summary>
internal enum UNetMiddle
{
    Nothing,

    /// <summary>One residual block.</summary>
    Block,

    /// <summary>Two residual blocks.</summary>
    Blocks,

    /// <summary>Two residual blocks with attention between them.</summary>
    Attention,
}

/// <summary>How the network is told the class of an image.</summary>
internal enum ClassEmbedding
{
    None,

    /// <summary>By a learned vector for each.</summary>
    Table,

    /// <summary>As it is told the time.</summary>
    [ConfigName("timestep")]
    Time,

    /// <summary>By a vector of the time's width, which is given instead of the class.</summary>
    [ConfigName("identity")]
    Vector,

    /// <summary>By a vector, which is given instead of the class, through two layers.</summary>
    [ConfigName("projection")]
    Projection,
}

/// <summary>The hyper-parameters of a U-Net. Lists are by stage, the largest features first; that of <see cref="Up"/> and <see cref="UpDepths"/> in the order of the way up.</summary>
/// <remarks>Two configurations with equal lists are not equal records: compare what <see cref="Pipelines.ModelJson"/> writes.</remarks>
internal sealed partial record UNetConfig
{
    /// <summary>The size of images or latents that the network is meant for; others work too.</summary>
    public ImageSize? SampleSize { get; init; }

    [ConfigKey("in_channels")]
    public int InputChannels { get; init; } = 3;
    [ConfigKey("out_channels")]
    public int OutputChannels { get; init; } = 3;

    /// <summary>Channels of each stage.</summary>
    [ConfigKey("block_out_channels")]
    public int[] Channels { get; init; } = [224, 448, 672, 896];

    /// <summary>Residual blocks of each stage on the way down; on the way up there is one more.</summary>
    public int[] Layers { get; init; } = [2, 2, 2, 2];

    [FromTo(0)]     // enumerations count from it
    public StageAttention[] Down { get; init; } = [StageAttention.None, StageAttention.Places, StageAttention.Places, StageAttention.Places];
    public UNetMiddle Middle { get; init; } = UNetMiddle.Attention;
    [FromTo(0)]
    public StageAttention[] Up { get; init; } = [StageAttention.Places, StageAttention.Places, StageAttention.Places, StageAttention.None];

    /// <summary>Attention heads of each stage; those of the last are also the middle's.</summary>
    public int[] Heads { get; init; } = [28, 56, 84, 112];

    /// <summary>The width of the words' vectors in each stage; null for a network that knows no words.</summary>
    public int[]? ContextWidths { get; init; }

    /// <summary>Transformer blocks of each attention to words.</summary>
    [FromTo(0)]
    public int[] Depths { get; init; } = [1, 1, 1, 1];

    /// <summary>The same on the way up; null where they are those of the way down.</summary>
    [FromTo(0)]
    public int[]? UpDepths { get; init; }

    /// <summary>In which stages both attentions of a transformer block look at the words.</summary>
    public bool[] OnlyCrossAttention { get; init; } = [false, false, false, false];

    /// <summary>Whether the published layers around a transformer are linear layers, or convolutions of one place: the same, stored in another shape.</summary>
    [ConfigKey("use_linear_projection")]
    public bool LinearProjection { get; init; }

    /// <summary>Whether the input comes in 0 to 1, and is brought to -1 to 1.</summary>
    [ConfigKey("center_input_sample")]
    public bool CenterInput { get; init; }
    [ConfigKey("conv_in_kernel")]
    public int InputKernel { get; init; } = 3;
    [ConfigKey("conv_out_kernel")]
    public int OutputKernel { get; init; } = 3;

    /// <summary>Zeros around what is halved; none is one below and one to the right.</summary>
    [ConfigKey("downsample_padding"), FromTo(0)]
    public int DownsamplePadding { get; init; } = 1;

    [ConfigKey("act_fn")]
    public Activation Activation { get; init; } = Activation.Silu;
    [ConfigKey("norm_num_groups")]
    public int NormGroups { get; init; } = 32;
    [ConfigKey("norm_eps")]
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Groups of the norm before the middle's attention between places; null where they are <see cref="NormGroups"/>, or with <see cref="ScaleShift"/> no norm.</summary>
    public int? MiddleNormGroups { get; init; }
    [ConfigKey("dropout")]
    public double Dropout { get; init; }

    /// <summary>What sums in the middle are divided by.</summary>
    [ConfigKey("mid_block_scale_factor")]
    public double MiddleScale { get; init; } = 1;

    /// <summary>The width of the time's vector; null for four times the first stage's channels.</summary>
    public int? TimeWidth { get; init; }

    /// <summary>Whether the cosines of the time stand before its sines.</summary>
    [ConfigKey("flip_sin_to_cos")]
    public bool CosinesFirst { get; init; } = true;

    /// <summary>See <see cref="TimeEmbedding.Waves"/>.</summary>
    [ConfigKey("freq_shift"), FromTo(0)]
    public int FrequencyShift { get; init; }

    /// <summary>Whether the time scales and shifts features, or is added to them.</summary>
    public bool ScaleShift { get; init; }

    /// <summary>The width of what a distilled network is told of the guidance; null for one that is not.</summary>
    public int? GuidanceWidth { get; init; }

    public ClassEmbedding ClassEmbedding { get; init; }

    /// <summary>Classes of <see cref="ClassEmbedding.Table"/>.</summary>
    public int? Classes { get; init; }

    /// <summary>The width of the vector for <see cref="ClassEmbedding.Projection"/>, or of what the text's vector and the sizes come to (SDXL).</summary>
    public int? ProjectionWidth { get; init; }

    /// <summary>How many waves each number of the sizes and crops becomes (SDXL, arXiv 2307.01952, 2.2); null for a network that is not told them.</summary>
    public int? SizeWidth { get; init; }

    public int Stages => Channels.Length;

    /// <summary>Whether the network is told words: <c>UNet2DConditionModel</c>, otherwise <c>UNet2DModel</c>.</summary>
    public bool KnowsWords => ContextWidths is not null;

    public int TimeVectorWidth => TimeWidth ?? 4 * Channels[0];

    /// <summary>By how much sizes must be divisible for nothing to be rounded.</summary>
    public int Divisor => 1 << (Stages - 1);

    /// <summary>The attention of a stage, on the way down or up, or in the middle below the last.</summary>
    public StageAttention AttentionOf(int stage)
    {
        var middle = stage < Stages - 1 || Middle != UNetMiddle.Attention ? StageAttention.None : KnowsWords ? StageAttention.Words : StageAttention.Places;
        return new[] { stage < Down.Length ? Down[stage] : default, stage < Up.Length ? Up[^(stage + 1)] : default, middle }.Max();
    }

    /// <summary>Groups of the norm before the middle's attention between places; null for no norm.</summary>
    public int? MiddleAttentionGroups => MiddleNormGroups ?? (ScaleShift ? null : NormGroups);

    /// <summary>What the blocks have in common.</summary>
    public BlockConfig Blocks => new()
    {
        NormGroups = NormGroups, NormEps = NormEps, Activation = Activation, TimeWidth = TimeVectorWidth, ScaleShift = ScaleShift, Dropout = Dropout,
    };

    /// <summary>Throws for hyper-parameters that make no network.</summary>
    /// <exception cref="ArgumentException">A number is not positive, or the numbers do not fit each other.</exception>
    public UNetConfig Validate()
    {
        HyperParameters.Check(this);
        if (Stages == 0)
            throw new ArgumentException("A U-Net needs at least one stage ('block_out_channels' of config.json).");
        foreach (var (count, name) in new[]
        {
            (Layers.Length, "layers_per_block"), (Down.Length, "down_block_types"), (Up.Length, "up_block_types"), (Heads.Length, "attention_head_dim"),
            (ContextWidths?.Length ?? Stages, "cross_attention_dim"), (Depths.Length, "transformer_layers_per_block"),
            (UpDepths?.Length ?? Stages, "reverse_transformer_layers_per_block"), (OnlyCrossAttention.Length, "only_cross_attention"),
        })
        {
            if (count != Stages)
                throw new ArgumentException($"The U-Net has {Stages} stages ('block_out_channels' of config.json), but '{name}' is for {count}.");
        }
        if (!KnowsWords && (Down.Contains(StageAttention.Words) || Up.Contains(StageAttention.Words)))
            throw new ArgumentException("A stage with attention to words ('down_block_types', 'up_block_types' of config.json) needs the width of their vectors ('cross_attention_dim').");
        for (var stage = 0; stage < Stages; stage++)
        {
            var (attention, channels) = (AttentionOf(stage), Channels[stage]);
            if (channels % NormGroups != 0)
                throw new ArgumentException($"{channels} channels ('block_out_channels' of config.json) cannot be divided among {NormGroups} groups ('norm_num_groups').");
            if (attention != StageAttention.None && (Heads[stage] > channels || (attention == StageAttention.Places && channels % Heads[stage] != 0)))
                throw new ArgumentException($"{channels} channels ('block_out_channels' of config.json) cannot be divided among {Heads[stage]} attention heads ('attention_head_dim').");
        }
        if (MiddleScale == 0)
            throw new ArgumentException("The middle's scale ('mid_block_scale_factor' of config.json) must not be 0.");
        if (FrequencyShift >= Math.Max(1, Channels[0] / 2))
            throw new ArgumentException($"The frequencies' shift ('freq_shift' of config.json) must be below half the first stage's {Channels[0]} channels, not {FrequencyShift}.");
        if (InputKernel % 2 == 0 || OutputKernel % 2 == 0)
            throw new ArgumentException("The first and the last convolution ('conv_in_kernel', 'conv_out_kernel' of config.json) need odd sizes.");
        if (ClassEmbedding == ClassEmbedding.Table != Classes is not null)
            throw new ArgumentException("A table of classes needs their number ('num_class_embeds' of config.json), and no other class embedding ('class_embed_type') has one.");
        if ((ClassEmbedding == ClassEmbedding.Projection || SizeWidth is not null) && ProjectionWidth is null)
            throw new ArgumentException("What is projected needs a width ('projection_class_embeddings_input_dim' of config.json).");
        return this;
    }
}
