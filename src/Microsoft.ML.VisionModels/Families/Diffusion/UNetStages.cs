using Microsoft.ML.VisionModels.Layers;
using TorchSharp.Modules;
using static TorchSharp.torch;
using Conv2d = Microsoft.ML.VisionModels.Layers.Conv2d;

namespace Microsoft.ML.VisionModels.Families.Diffusion;

/// <summary>Residual blocks of one size of features, perhaps each with attention after it, and then half the size.</summary>
internal sealed class DownStage : nn.Module
{
    private readonly ModuleList<ResidualBlock> resnets;
    private readonly ModuleList<UNetBlock> attentions;
    private readonly Downsample? downsample;

    /// <param name="config">What its blocks have in common.</param>
    /// <param name="inputs">Channels that come in.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="layers">Residual blocks.</param>
    /// <param name="attention">Makes the attention after each block; null for none.</param>
    /// <param name="padding">Zeros around what is halved, see <see cref="Downsample"/>; null where nothing is.</param>
    /// <param name="generator">The source of dropout.</param>
    public DownStage(BlockConfig config, int inputs, int outputs, int layers, Func<UNetBlock>? attention, int? padding, Generator? generator) : base(nameof(DownStage))
    {
        resnets = [.. Enumerable.Range(0, layers).Select(layer => new ResidualBlock(config, layer == 0 ? inputs : outputs, outputs, generator))];
        attentions = [.. Enumerable.Range(0, attention is null ? 0 : layers).Select(_ => attention!())];
        downsample = padding is { } zeros ? new(outputs, zeros) : null;
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W]; freed where it is no skip.</param>
    /// <param name="condition">What the blocks are told.</param>
    /// <param name="skips">Takes what each step gives, for the way up.</param>
    /// <param name="trace">Takes <c>resnets.i</c>, <c>attentions.i</c> and <c>downsamplers.0</c>.</param>
    /// <returns>[B, D, H / 2, W / 2].</returns>
    public Tensor forward(Tensor x, BlockCondition condition, Stack<Tensor>? skips = null, Trace? trace = null)
    {
        foreach (var (layer, resnet) in resnets.Index())
        {
            x = Next(resnet.Run(x, condition));                         // [B, D, H, W]
            trace?.Add($"resnets.{layer}", x);
            if (attentions.Count > 0)
            {
                x = attentions[layer].Run(x, condition).InPlaceOf(x);
                trace?.Add($"attentions.{layer}", x);
            }
            skips?.Push(x);
        }
        if (downsample is null)
            return x;
        x = Next(downsample.forward(x));
        trace?.Add("downsamplers.0", x);
        skips?.Push(x);
        return x;

        Tensor Next(Tensor next) => skips is null ? next.InPlaceOf(x) : next;
    }
}

/// <summary>What stands between the ways down and up: residual blocks with attention between them.</summary>
internal sealed class MidStage : nn.Module
{
    private readonly ModuleList<ResidualBlock> resnets;
    private readonly ModuleList<UNetBlock> attentions;

    /// <param name="config">What its blocks have in common.</param>
    /// <param name="channels">C.</param>
    /// <param name="layers">Residual blocks, one or two.</param>
    /// <param name="attention">Between two blocks; null for none.</param>
    /// <param name="generator">The source of dropout.</param>
    public MidStage(BlockConfig config, int channels, int layers, UNetBlock? attention, Generator? generator) : base(nameof(MidStage))
    {
        resnets = [.. Enumerable.Range(0, layers).Select(_ => new ResidualBlock(config, channels, channels, generator))];
        attentions = attention is null ? [] : [attention];
        RegisterComponents();
    }

    public Tensor forward(Tensor x, BlockCondition condition, Trace? trace = null)          // [B, C, H, W]
    {
        foreach (var (layer, resnet) in resnets.Index())
        {
            if (layer > 0 && attentions.Count > 0)
            {
                x = attentions[0].Run(x, condition);
                trace?.Add("attentions.0", x);
            }
            x = resnet.Run(x, condition);
            trace?.Add($"resnets.{layer}", x);
        }
        return x;
    }
}

/// <summary>Residual blocks of one size of features, which on the way up see what the way down left, perhaps each with attention after it, and then twice the size.</summary>
internal sealed class UpStage : nn.Module
{
    private readonly ModuleList<ResidualBlock> resnets;
    private readonly ModuleList<UNetBlock> attentions;
    private readonly Upsample? upsample;

    /// <param name="config">What its blocks have in common.</param>
    /// <param name="inputs">Channels that come in from below.</param>
    /// <param name="outputs">Channels that go out.</param>
    /// <param name="skips">Channels that come from the way down, for each residual block: 0 where there are none.</param>
    /// <param name="attention">Makes the attention after each block; null for none.</param>
    /// <param name="doubles">Whether the size is doubled.</param>
    /// <param name="generator">The source of dropout.</param>
    public UpStage(BlockConfig config, int inputs, int outputs, int[] skips, Func<UNetBlock>? attention, bool doubles, Generator? generator) : base(nameof(UpStage))
    {
        resnets = [.. skips.Select((skip, layer) => new ResidualBlock(config, (layer == 0 ? inputs : outputs) + skip, outputs, generator))];
        attentions = [.. Enumerable.Range(0, attention is null ? 0 : skips.Length).Select(_ => attention!())];
        upsample = doubles ? new(outputs) : null;
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W]; freed.</param>
    /// <param name="condition">What the blocks are told.</param>
    /// <param name="skips">What the way down left, the last first; what is taken is freed.</param>
    /// <param name="trace">Takes <c>resnets.i</c>, <c>attentions.i</c> and <c>upsamplers.0</c>.</param>
    /// <returns>[B, D, 2 H, 2 W], or of the size of the next skip.</returns>
    public Tensor forward(Tensor x, BlockCondition condition, Stack<Tensor>? skips = null, Trace? trace = null)
    {
        foreach (var (layer, resnet) in resnets.Index())
        {
            if (skips?.Pop() is { } skip)
                x = cat([x, skip], 1).InPlaceOf(x, skip);               // [B, C + skip, H, W]
            x = resnet.Run(x, condition).InPlaceOf(x);                  // [B, D, H, W]
            trace?.Add($"resnets.{layer}", x);
            if (attentions.Count > 0)
            {
                x = attentions[layer].Run(x, condition).InPlaceOf(x);
                trace?.Add($"attentions.{layer}", x);
            }
        }
        if (upsample is null)
            return x;
        // The way down rounds sizes that are odd, so that the way up cannot but look.
        x = upsample.forward(x, skips is null ? [2 * x.shape[2], 2 * x.shape[3]] : skips.Peek().shape[2..]).InPlaceOf(x);
        trace?.Add("upsamplers.0", x);
        return x;
    }
}

/// <summary>Half the size, by a convolution of 3 x 3 with a stride of 2.</summary>
internal sealed class Downsample : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d conv;
    private readonly bool _padsOneSide;

    /// <param name="channels">C.</param>
    /// <param name="padding">Zeros on all sides; none is one below and one to the right.</param>
    public Downsample(int channels, int padding) : base(nameof(Downsample))
    {
        conv = new(channels, channels, 3, stride: 2, padding: padding);
        _padsOneSide = padding == 0;
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => conv.forward(_padsOneSide ? nn.functional.pad(x, [0, 1, 0, 1]) : x);   // [B, C, H, W] -> [B, C, H / 2, W / 2]
}

/// <summary>Twice the size: each place is repeated, and a convolution of 3 x 3 follows.</summary>
internal sealed class Upsample : nn.Module
{
    private readonly Conv2d conv;

    public Upsample(int channels) : base(nameof(Upsample))
    {
        conv = new(channels, channels, 3, stride: 1, padding: 1);
        RegisterComponents();
    }

    /// <param name="x">[B, C, H, W].</param>
    /// <param name="size">Rows and columns of the result.</param>
    public Tensor forward(Tensor x, long[] size)
    {
        using var scope = NewDisposeScope();
        return conv.forward(nn.functional.interpolate(x, size, mode: InterpolationMode.Nearest)).MoveToOuterDisposeScope();
    }
}

/// <summary>Features that are no longer needed.</summary>
internal static class UNetFeatures
{
    /// <summary>Frees what was computed with, not when the whole network is done: of a large image each of these takes much memory.</summary>
    public static Tensor InPlaceOf(this Tensor next, params ReadOnlySpan<Tensor> old)
    {
        foreach (var tensor in old)
            tensor.Dispose();
        return next;
    }
}
