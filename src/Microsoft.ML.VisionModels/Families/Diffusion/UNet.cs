using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Layers;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;
using GroupNorm = Microsoft.ML.VisionModels.Layers.GroupNorm;
using Linear = Microsoft.ML.VisionModels.Layers.Linear;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>What tells a U-Net which image is wanted; what it was not trained with stays null.</summary>
internal sealed record UNetGuidance
{
    /// <summary>The numbers of <see cref="Sizes"/>.</summary>
    public const int SizeCount = 6;

    /// <summary>The vectors of the words, [B, S, context].</summary>
    public Tensor? Words { get; init; }

    /// <summary>Which words count: 1, and 0 where not, [B, S].</summary>
    public Tensor? WordsMask { get; init; }

    /// <summary>The class of each image, [B] int64, or what stands for it, see <see cref="Diffusion.ClassEmbedding"/>.</summary>
    public Tensor? Classes { get; init; }

    /// <summary>The vector of the whole text, [B, E] (SDXL).</summary>
    public Tensor? Text { get; init; }

    /// <summary>The original size, the crop's corner and the wanted size, each as height and width, [B, 6] (SDXL).</summary>
    public Tensor? Sizes { get; init; }

    /// <summary>How strong the guidance is that was distilled into the network, as waves [B, guidance] (LCM).</summary>
    public Tensor? Strength { get; init; }
}

/// <summary>
/// The network that tells an image from its noise: "Denoising Diffusion Probabilistic Models" (arXiv 2006.11239), with attention to words as
/// in "High-Resolution Image Synthesis with Latent Diffusion Models" (arXiv 2112.10752) and SDXL (arXiv 2307.01952). Stages of residual
/// blocks lead down to small features and up again, and on the way up each block also sees what one on the way down left. Reference
/// implementation: diffusers' <c>UNet2DModel</c> and <c>UNet2DConditionModel</c>, whose names the parameters bear.
/// </summary>
/// <remarks>Built without values: load a checkpoint, or call <see cref="Draw"/>.</remarks>
internal sealed class UNet : nn.Module, INetwork<UNetConfig, UNet>, ITrainableNetwork
{
    // As the reference hides words; minus infinity would make nothing of a row that is hidden whole.
    private const double Hidden = -10000;

    private readonly Conv2d conv_in, conv_out;
    private readonly TimeEmbedding time_embedding;
    private readonly TimeEmbedding? class_embedding, add_embedding;
    private readonly Parameter? class_table;
    private readonly ModuleList<DownStage> down_blocks;
    private readonly MidStage? mid_block;
    private readonly ModuleList<UpStage> up_blocks;
    private readonly GroupNorm conv_norm_out;
    private readonly Activation _outputActivation;
    private readonly Generator? _generator;

    /// <param name="config">The hyper-parameters.</param>
    /// <param name="generator">The source of dropout while training; the caller keeps it alive. Scoring needs none.</param>
    public UNet(UNetConfig config, Generator? generator = null) : base(nameof(UNet))
    {
        (Config, _generator) = (config.Validate(), generator);
        var (channels, blocks, time, last) = (config.Channels, config.Blocks, config.TimeVectorWidth, config.Stages - 1);
        // The reference asks its option for these only in networks that know words.
        _outputActivation = config.KnowsWords ? config.Activation : Activation.Silu;

        conv_in = new(config.InputChannels, channels[0], config.InputKernel, stride: 1, padding: config.InputKernel / 2);
        time_embedding = new(channels[0], time, _outputActivation, config.GuidanceWidth);
        class_table = config.Classes is { } classes ? Parameters.Empty(classes, time) : null;
        class_embedding = config.ClassEmbedding switch
        {
            ClassEmbedding.Time => new(channels[0], time, _outputActivation),
            ClassEmbedding.Projection => new(config.ProjectionWidth!.Value, time, Activation.Silu),
            _ => null,
        };
        add_embedding = config.SizeWidth is null ? null : new(config.ProjectionWidth!.Value, time, Activation.Silu);

        var skips = new Stack<int>([channels[0]]);      // channels of what the way down leaves, see DownStage
        down_blocks = [.. Enumerable.Range(0, config.Stages).Select(Down)];
        var middle = blocks with { OutputScale = config.MiddleScale };
        mid_block = config.Middle switch
        {
            UNetMiddle.Nothing => null,
            UNetMiddle.Block => new(middle, channels[^1], 1, null, generator),
            UNetMiddle.Blocks => new(middle, channels[^1], 2, null, generator),
            _ when config.KnowsWords => new(middle, channels[^1], 2, Transformer(last, config.Depths[^1], onlyCross: false), generator),
            _ => new(middle, channels[^1], 2, new AttentionBlock(middle, channels[^1], config.Heads[^1], config.MiddleAttentionGroups), generator),
        };
        up_blocks = [.. Enumerable.Range(0, config.Stages).Select(Up)];
        (conv_norm_out, conv_out) = (new(config.NormGroups, channels[0], config.NormEps), new(channels[0], config.OutputChannels, config.OutputKernel, stride: 1, padding: config.OutputKernel / 2));
        RegisterComponents();

        DownStage Down(int stage)
        {
            foreach (var _ in Enumerable.Range(0, stage < last ? config.Layers[stage] + 1 : config.Layers[stage]))
                skips.Push(channels[stage]);
            return new(blocks, channels[Math.Max(0, stage - 1)], channels[stage], config.Layers[stage], Attention(config.Down[stage], stage, config.Depths[stage]),
                stage < last ? config.DownsamplePadding : null, generator);
        }

        UpStage Up(int step)
        {
            var stage = last - step;
            int[] incoming = [.. Enumerable.Range(0, config.Layers[stage] + 1).Select(_ => skips.Pop())];
            return new(blocks, channels[Math.Min(last, stage + 1)], channels[stage], incoming,
                Attention(config.Up[step], stage, config.UpDepths?[step] ?? config.Depths[stage]), doubles: stage > 0, generator);
        }

        Func<UNetBlock>? Attention(StageAttention attention, int stage, int depth) => attention switch
        {
            StageAttention.None => null,
            StageAttention.Places => () => new AttentionBlock(blocks, channels[stage], config.Heads[stage], config.NormGroups),
            _ => () => Transformer(stage, depth, config.OnlyCrossAttention[stage]),
        };

        SpatialTransformer Transformer(int stage, int depth, bool onlyCross) =>
            new(config.NormGroups, channels[stage], config.Heads[stage], depth, config.ContextWidths![stage], onlyCross);
    }

    public UNetConfig Config { get; }

    public static UNet Create(UNetConfig config, Generator? generator = null) => new(config, generator);

    /// <summary>Whether training computes the blocks twice to save memory; not those of a pass that is traced.</summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>The network's answer: the noise, or what else it was trained to tell.</summary>
    /// <param name="sample">Noisy images or latents, [B, C, H, W]; for inpainting with the mask and the masked latents behind them.</param>
    /// <param name="times">The time of each, [B] or [1] for all, of any type.</param>
    /// <param name="guidance">What is wanted.</param>
    /// <param name="trace">
    /// Takes <c>time_proj</c>, <c>time_embedding</c>, <c>class_embedding</c>, <c>add_embedding</c>, <c>conv_in</c>, <c>down_blocks.i</c>, <c>mid_block</c> and <c>up_blocks.i</c>,
    /// and of these what <see cref="DownStage"/> and <see cref="UpStage"/> say.
    /// </param>
    /// <returns>[B, D, H, W].</returns>
    /// <exception cref="ArgumentException">Something is missing that the network was trained with, or of another shape.</exception>
    public Tensor forward(Tensor sample, Tensor times, UNetGuidance? guidance = null, Trace? trace = null)
    {
        guidance ??= new();
        if (sample.dim() != 4 || sample.shape[1] != Config.InputChannels)
            throw new ArgumentException($"The sample must be [batch, {Config.InputChannels}, height, width], not {sample.shape.Text()}.", nameof(sample));
        using var scope = NewDisposeScope();
        var condition = new BlockCondition(Vector(times.expand(sample.shape[0]), guidance, trace), Words(guidance), Mask(guidance))
        {
            Checkpointing = GradientCheckpointing && trace is null, Generator = _generator,
        };

        var x = conv_in.forward(Config.CenterInput ? sample.Mul(2.0).Sub(1) : sample);          // [B, C, H, W]
        trace?.Add("conv_in", x);
        var skips = new Stack<Tensor>([x]);
        foreach (var (stage, block) in down_blocks.Index())
        {
            x = block.forward(x, condition, skips, trace?.In($"down_blocks.{stage}"));          // [B, C, H / 2^i, W / 2^i]
            trace?.Add($"down_blocks.{stage}", x);
        }
        x = mid_block?.forward(x, condition, trace?.In("mid_block")) ?? x;
        trace?.Add("mid_block", x);
        foreach (var (step, block) in up_blocks.Index())
        {
            x = block.forward(x, condition, skips, trace?.In($"up_blocks.{step}"));
            trace?.Add($"up_blocks.{step}", x);
        }
        return conv_out.forward(_outputActivation.Apply(conv_norm_out.forward(x))).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Draws every weight as PyTorch does, uniform within 1 / sqrt(fan in), but what ends a residual branch or the network is zero: the network
    /// begins by telling nothing, and gradients are calm (arXiv 2006.11239, as its authors' code has it).
    /// </summary>
    public void Draw(Generator generator)
    {
        foreach (var module in modules())
        {
            if (module is Linear linear)
                FanIn(linear.weight, linear.bias);
            else if (module is Conv2d convolution)
                FanIn(convolution.weight, convolution.bias);
        }
        if (class_table is not null)
            Initialization.Normal(class_table, 1, generator);
        foreach (var block in modules().OfType<ResidualBlock>())
            block.CloseBranch();
        Initialization.Zero(conv_out.weight);
        Initialization.Zero(conv_out.bias);

        void FanIn(Tensor weight, Tensor? bias)
        {
            var inputs = weight.numel() / weight.shape[0];
            Initialization.FanInUniform(weight, inputs, generator);
            if (bias is not null)
                Initialization.FanInUniform(bias, inputs, generator);
        }
    }

    /// <summary>There is none.</summary>
    public void DrawHead(Generator generator)
    {
    }

    /// <summary>The time and what is added to it, as the blocks read it, [B, time].</summary>
    private Tensor Vector(Tensor times, UNetGuidance guidance, Trace? trace)
    {
        var type = conv_in.weight.dtype;
        var waves = Waves(times).to(type);
        trace?.Add("time_proj", waves);
        var vector = time_embedding.forward(waves, guidance.Strength?.to(type));
        trace?.Add("time_embedding", vector);
        if (Config.ClassEmbedding != ClassEmbedding.None)
        {
            var classes = guidance.Classes ?? throw new ArgumentException("The U-Net was trained with classes, and none are given.", nameof(guidance));
            var embedded = Config.ClassEmbedding switch
            {
                ClassEmbedding.Table => class_table!.index_select(0, classes.to(ScalarType.Int64)),
                ClassEmbedding.Time => class_embedding!.forward(Waves(classes).to(type)),
                ClassEmbedding.Projection => class_embedding!.forward(classes.to(type)),
                _ => classes.to(type),
            };
            trace?.Add("class_embedding", embedded);
            vector = vector.Add(embedded);
        }
        if (add_embedding is not null)
        {
            if (guidance is not { Text: { } text, Sizes: { } sizes })
                throw new ArgumentException("The U-Net was trained with texts' vectors and sizes (SDXL), and these are not given.", nameof(guidance));
            var numbers = TimeEmbedding.Waves(sizes.flatten(), Config.SizeWidth!.Value, Config.CosinesFirst, Config.FrequencyShift).view(sizes.shape[0], -1);   // [B, 6 waves]
            var added = add_embedding.forward(cat([text.to(type), numbers.to(type)], 1));
            trace?.Add("add_embedding", added);
            vector = vector.Add(added);
        }
        return Config.Activation.Apply(vector.clone());     // which a trace may hold

        Tensor Waves(Tensor numbers) => TimeEmbedding.Waves(numbers, Config.Channels[0], Config.CosinesFirst, Config.FrequencyShift);
    }

    private Tensor? Words(UNetGuidance guidance)
    {
        if (!Config.KnowsWords)
            return null;
        var words = guidance.Words ?? throw new ArgumentException("The U-Net was trained with words, and none are given.", nameof(guidance));
        return words.dim() == 3 && Config.ContextWidths!.Contains((int)words.shape[2])
            ? words.to(conv_in.weight.dtype)
            : throw new ArgumentException($"The U-Net reads words as [batch, tokens, {Config.ContextWidths![^1]}], not {words.shape.Text()}: they are of another text tower.", nameof(guidance));
    }

    private static Tensor? Mask(UNetGuidance guidance) => guidance.WordsMask?.to(ScalarType.Float32).Sub(1).Mul(-Hidden).unsqueeze(1).unsqueeze(1);     // [B, S] -> [B, 1, 1, S]
}
