using Microsoft.ML.VisionModels.Checkpoints;
using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>The hyper-parameters of a stack of transformer blocks.</summary>
internal sealed record TransformerConfig
{
    public required int Width { get; init; }
    public required int Depth { get; init; }
    public required int Heads { get; init; }
    public required int MlpWidth { get; init; }

    public Activation Activation { get; init; } = Activation.Gelu;
    public double NormEps { get; init; } = 1e-6;
    public bool QkvBias { get; init; } = true;

    /// <summary>Scores are cosines times a learned factor a head, and keys have no bias (Swin V2, arXiv 2111.09883).</summary>
    public bool CosineAttention { get; init; }

    /// <summary>A token sees itself and those before it.</summary>
    public bool Causal { get; init; }

    /// <summary>Layer norm after each residual sum (as the first transformer and BERT), not before each branch (as ViT).</summary>
    public bool PostNorm { get; init; }

    /// <summary>The starting value of a learned scale per channel on each branch (arXiv 2103.17239), or null for none.</summary>
    public double? LayerScale { get; init; }

    /// <summary>Dropout on the outputs of attention and MLP.</summary>
    public double Dropout { get; init; }

    /// <summary>Dropout on the attention probabilities.</summary>
    public double AttentionDropout { get; init; }

    /// <summary>Stochastic depth of the last block; it grows linearly from 0 at the first.</summary>
    public double DropPath { get; init; }

    public double DropPathOf(int layer) => Depth == 1 ? 0 : DropPath * layer / (Depth - 1);
}

/// <summary>
/// The stack of blocks that every transformer of this package is a configuration of. As a member named <c>blocks</c>
/// its parameters are called <c>blocks.0.attn.qkv.weight</c> and so on.
/// </summary>
internal sealed class Transformer : ModuleList<TransformerBlock>
{
    private readonly Generator? _generator;

    public Transformer(TransformerConfig config, Generator? generator = null)
        : base([.. Enumerable.Range(0, config.Depth).Select(layer => new TransformerBlock(config, layer, generator))])
    {
        RegisterComponents();
        _generator = generator;
    }

    /// <summary>Whether training computes the blocks twice to save memory; not those under a mask, or that are traced.</summary>
    public bool GradientCheckpointing { get; set; }

    /// <summary>Tokens [B, T, D] to tokens [B, T, D]. Traces <c>hidden_states.0</c> (the input) to <c>hidden_states.Depth</c>, and <c>attentions.i</c>.</summary>
    public Tensor forward(Tensor x, Tensor? mask = null, Trace? trace = null)
    {
        trace?.Add("hidden_states.0", x);
        for (var layer = 0; layer < Count; layer++)
        {
            var block = this[layer];
            x = GradientCheckpointing && mask is null && trace is null
                ? Layers.GradientCheckpointing.Run(block, block.forward, x, _generator)
                : block.forward(x, mask, trace);
            trace?.Add($"hidden_states.{layer + 1}", x);
        }
        return x;
    }
}

/// <summary>Attention and MLP, each on a residual branch with its layer norm.</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    private readonly LayerNorm norm1, norm2;
    private readonly Attention attn;
    private readonly Mlp mlp;
    private readonly LayerScale? ls1, ls2;
    private readonly DropPath _dropPath;
    private readonly bool _postNorm;
    private readonly string _attentionName;

    public TransformerBlock(TransformerConfig config, int layer, Generator? generator) : base(nameof(TransformerBlock))
    {
        norm1 = Parameters.LayerNorm(config.Width, config.NormEps);
        attn = new(config, generator);
        norm2 = Parameters.LayerNorm(config.Width, config.NormEps);
        mlp = new(config, generator);
        if (config.LayerScale is { } initial)
            (ls1, ls2) = (new(config.Width, initial), new(config.Width, initial));
        _dropPath = new(config.DropPathOf(layer), generator);
        _postNorm = config.PostNorm;
        _attentionName = $"attentions.{layer}";
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => forward(x, null, null);

    /// <param name="x">Tokens [B, T, D].</param>
    /// <param name="mask">Added to the attention scores; see <see cref="Attention"/>.</param>
    /// <param name="trace">Takes the attention probabilities where it wants them.</param>
    public Tensor forward(Tensor x, Tensor? mask, Trace? trace)
    {
        using var scope = NewDisposeScope();
        if (_postNorm)
        {
            x = norm1.forward(x.Add(Branch(Attend(x, mask, trace), ls1)));
            x = norm2.forward(x.Add(Branch(mlp.forward(x), ls2)));
        }
        else
        {
            x = x.Add(Branch(Attend(norm1.forward(x), mask, trace), ls1));
            x = x.Add(Branch(mlp.forward(norm2.forward(x)), ls2));
        }
        return x.MoveToOuterDisposeScope();
    }

    private Tensor Branch(Tensor x, LayerScale? scale) => _dropPath.forward(scale?.forward(x) ?? x);

    private Tensor Attend(Tensor x, Tensor? mask, Trace? trace)
    {
        if (trace?.Wants(_attentionName) is not true)
            return attn.forward(x, mask);
        var (output, probabilities) = attn.ForwardWithProbabilities(x, mask);
        trace.Add(_attentionName, probabilities);
        return output;
    }
}

/// <summary>
/// Multi-head self-attention with one fused projection to queries, keys and values (arXiv 1706.03762). With cosine scores
/// (arXiv 2111.09883) queries and keys have length 1, and each head learns how sharply it looks; keys have no bias then.
/// </summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    /// <summary>Before a cosine is multiplied by it: 10, as the paper starts it.</summary>
    internal static readonly double InitialLogitScale = Math.Log(10);

    private const long MostScores = 1 << 24;

    // Scores that plain products keep, 256 MB of 16 bits; the fused kernel keeps none.
    private const long MostPlainScores = 1 << 27;

    private static readonly Scalar s_largestLogitScale = Math.Log(100), s_hidden = double.NegativeInfinity;    // kept, see TensorArithmetic

    private readonly Linear qkv, proj;
    private readonly Parameter? q_bias, v_bias, logit_scale;
    private readonly Dropout _probabilityDropout, _outputDropout;
    private readonly int _heads;
    private readonly bool _causal;

    public Attention(TransformerConfig config, Generator? generator) : base(nameof(Attention))
    {
        if (config.Width % config.Heads != 0)
            throw new ArgumentException($"The width {config.Width} cannot be divided among {config.Heads} attention heads.", nameof(config));
        _heads = config.Heads;
        _causal = config.Causal;
        qkv = new(config.Width, 3 * config.Width, config.QkvBias && !config.CosineAttention);
        if (config.CosineAttention)
        {
            logit_scale = Parameters.Full(InitialLogitScale, config.Heads, 1, 1);
            if (config.QkvBias)
                (q_bias, v_bias) = (Parameters.Zeros(config.Width), Parameters.Zeros(config.Width));
        }
        proj = new(config.Width, config.Width);
        _probabilityDropout = new(config.AttentionDropout, generator);
        _outputDropout = new(config.Dropout, generator);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => forward(x, null);

    /// <param name="x">Tokens [B, T, D].</param>
    /// <param name="mask">
    /// Added to the scores, broadcast to [B, heads, T, T]: 0 where a token may look, minus infinity where not. One for n sequences,
    /// [n, heads, T, T], where B is a multiple of n, is for each n that follow one another.
    /// </param>
    public Tensor forward(Tensor x, Tensor? mask)
    {
        var (q, k, v) = Heads(x);
        return Merge(Attend(q, k, v, mask));
    }

    /// <param name="x">Tokens [B, T, D].</param>
    /// <param name="bias">From queries [B, heads, T, D / heads], of some of the heads, not scaled, what is added to their scores, [B, heads, T, T].</param>
    public Tensor ForwardWithBias(Tensor x, Func<Tensor, Tensor> bias)
    {
        var (q, k, v) = Heads(x);
        // As many heads at a time as keep the bias small: that of a large image takes 64 MB a head.
        var together = (int)Math.Clamp(MostScores / (q.shape[0] * q.shape[2] * q.shape[2]), 1, _heads);
        var outputs = new List<Tensor>();
        for (var head = 0; head < _heads; head += together)
        {
            using var scope = NewDisposeScope();
            var some = Math.Min(together, _heads - head);
            var (queries, keys, values) = (q.narrow(1, head, some), k.narrow(1, head, some), v.narrow(1, head, some));
            outputs.Add(Attend(queries, keys, values, bias(queries)).MoveToOuterDisposeScope());
        }
        return Merge(cat(outputs, 1));
    }

    /// <summary>The same, with the probabilities [B, heads, T, T] beside the output [B, T, D].</summary>
    public (Tensor Output, Tensor Probabilities) ForwardWithProbabilities(Tensor x, Tensor? mask)
    {
        var (q, k, v) = Heads(x);
        var (output, probabilities) = AttendWithProbabilities(q, k, v, mask);
        return (Merge(output), probabilities);
    }

    // [B, heads, T, D / heads]
    private Tensor Attend(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        // The fused kernel's dropout draws from the global generator, and it has no gradient for a mask; for bfloat16 on CPU the
        // plain products are faster (up to 1.6 times on Zen 4), where there is room for their scores.
        if (_probabilityDropout.Active || mask is { requires_grad: true }
            || (q.dtype == ScalarType.BFloat16 && q.device_type == DeviceType.CPU && q.shape[0] * q.shape[1] * q.shape[2] * k.shape[2] < MostPlainScores))
            return AttendWithProbabilities(q, k, v, mask).Output;

        var maskIsCausal = _causal && mask is null;
        return F.scaled_dot_product_attention(q, k, v, maskIsCausal ? null : Repeated(FullMask(q, mask), q), 0, maskIsCausal);
    }

    private (Tensor Output, Tensor Probabilities) AttendWithProbabilities(Tensor q, Tensor k, Tensor v, Tensor? mask)
    {
        var scores = q.Mul(Math.Pow(q.shape[^1], -0.5)).matmul(k.transpose(-2, -1));   // [B, heads, T, T]
        if (FullMask(q, mask) is { } full)
            scores = IsRepeated(full, q) ? scores.unflatten(0, -1, full.shape[0]).Add(full).flatten(0, 1) : scores.Add(full);
        var probabilities = scores.softmax(-1);
        return (_probabilityDropout.forward(probabilities).matmul(v), probabilities);
    }

    /// <summary>Looks from some tokens at others: queries are of <paramref name="x"/>, [B, T, D], keys and values of <paramref name="context"/>, [B, S, D].</summary>
    public Tensor Across(Tensor x, Tensor context)
    {
        var width = x.shape[2];
        var q = Split(qkv.Part(x, 0, width), 1)[0];                         // [B, heads, T, D / heads]
        var kv = Split(qkv.Part(context, width, 2 * width), 2);             // [B, heads, S, D / heads] each
        (q, var k, var v) = Scaled(q, kv[0], kv[1]);
        return Merge(F.scaled_dot_product_attention(q, k, v));              // [B, T, D]
    }

    private (Tensor Q, Tensor K, Tensor V) Heads(Tensor x)
    {
        var parts = Split(qkv.forward(x), 3);
        return Scaled(parts[0], parts[1], parts[2]);
    }

    private Tensor[] Split(Tensor x, int parts) =>          // [B, T, parts D]
        x.view(x.shape[0], x.shape[1], parts, _heads, -1)   // [B, T, parts, heads, D / heads]
            .permute(2, 0, 3, 1, 4)                         // [parts, B, heads, T, D / heads]
            .unbind(0);

    private (Tensor Q, Tensor K, Tensor V) Scaled(Tensor q, Tensor k, Tensor v) => logit_scale is null ? (q, k, v) : Cosine(q, k, v);

    private (Tensor Q, Tensor K, Tensor V) Cosine(Tensor q, Tensor k, Tensor v)     // [B, heads, T, D / heads]
    {
        if (q_bias is not null)
            (q, v) = (q.Add(PerHead(q_bias, q)), v.Add(PerHead(v_bias!, v)));
        // The products are divided by this root later, as all attention's are.
        var scale = logit_scale!.clamp_max(s_largestLogitScale).exp().Mul(Math.Sqrt(q.shape[^1]));
        return (F.normalize(q, dim: -1) * scale.to(q.dtype), F.normalize(k, dim: -1), v);

        Tensor PerHead(Tensor bias, Tensor like) => bias.view(_heads, 1, -1).to(like.dtype);
    }

    private Tensor Merge(Tensor x) => _outputDropout.forward(proj.forward(x.transpose(1, 2).flatten(2)));   // [B, heads, T, D / heads] -> [B, T, D]

    private Tensor? FullMask(Tensor q, Tensor? mask)
    {
        mask = mask?.to(q.dtype);
        if (!_causal)
            return mask;
        var tokens = q.shape[2];
        var future = full(tokens, tokens, s_hidden, q.dtype, q.device).triu(1);
        return mask is null ? future : mask.Add(future);
    }

    private static bool IsRepeated(Tensor mask, Tensor q) => mask.dim() == 4 && mask.shape[0] > 1 && mask.shape[0] < q.shape[0];

    private static Tensor? Repeated(Tensor? mask, Tensor q) =>
        mask is not null && IsRepeated(mask, q) ? mask.repeat(q.shape[0] / mask.shape[0], 1, 1, 1) : mask;
}

/// <summary>Two linear layers with an activation between.</summary>
internal sealed class Mlp : nn.Module<Tensor, Tensor>
{
    private readonly Linear fc1, fc2;
    private readonly Dropout _dropout;
    private readonly Activation _activation;

    public Mlp(TransformerConfig config, Generator? generator) : base(nameof(Mlp))
    {
        fc1 = new(config.Width, config.Activation is Activation.SwiGlu or Activation.GeGlu ? 2 * config.MlpWidth : config.MlpWidth);
        fc2 = new(config.MlpWidth, config.Width);
        _activation = config.Activation;
        _dropout = new(config.Dropout, generator);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        _dropout.forward(fc2.forward(_activation.Apply(fc1.forward(x))));   // [B, T, D] -> [B, T, M], with a gate [B, T, 2 M] -> [B, T, M] -> [B, T, D]
}

/// <summary>The non-linearity of an MLP.</summary>
internal enum Activation
{
    /// <summary>x Phi(x), with the error function.</summary>
    [ConfigName("gelu", "gelu_python")]
    Gelu,

    /// <summary>The tanh approximation of GELU.</summary>
    [ConfigName("gelu_pytorch_tanh", "gelu_new", "gelu_fast", "gelu_accurate", "gelu_python_tanh")]
    GeluTanh,

    /// <summary>x sigmoid(1.702 x), as OpenAI's CLIP has it.</summary>
    [ConfigName("quick_gelu")]
    QuickGelu,

    [ConfigName("relu")]
    Relu,

    [ConfigName("silu", "swish")]
    Silu,

    [ConfigName("tanh")]
    Tanh,

    /// <summary>
    /// SiLU of the first half times the second (arXiv 2002.05202): an MLP's first layer is then twice as wide as what its second reads.
    /// Published configurations do not give it as an activation.
    /// </summary>
    SwiGlu,

    /// <summary>The first half times GELU of the second, otherwise as <see cref="SwiGlu"/>.</summary>
    GeGlu,
}

internal static class Activations
{
    private static readonly TorchSharp.Scalar s_quick = 1.702;     // kept, see TensorArithmetic

    /// <summary>Overwrites <paramref name="x"/> where no gradient needs it: a fresh buffer of this size costs more than the arithmetic.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) => (activation, InPlace: !is_grad_enabled()) switch
    {
        (Activation.Gelu, true) => x.gelu_(),
        (Activation.Gelu, _) => F.gelu(x),
        (Activation.GeluTanh, _) => F.gelu(x, approximate: TorchSharp.Modules.GELU.Approximate.tanh),
        (Activation.QuickGelu, true) => x.mul_(x.mul(s_quick).sigmoid_()),
        (Activation.QuickGelu, _) => x * x.mul(s_quick).sigmoid(),
        (Activation.Relu, true) => x.relu_(),
        (Activation.Relu, _) => x.relu(),
        (Activation.Silu, true) => x.silu_(),
        (Activation.Silu, _) => x.silu(),
        (Activation.Tanh, true) => x.tanh_(),
        (Activation.Tanh, _) => x.tanh(),
        (Activation.SwiGlu, _) => Gated(x, gate: 0, Activation.Silu),
        (Activation.GeGlu, _) => Gated(x, gate: 1, Activation.Gelu),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, "Unknown activation."),
    };

    private static Tensor Gated(Tensor x, int gate, Activation activation)      // [..., 2 M] -> [..., M]
    {
        var halves = x.chunk(2, -1);
        return activation.Apply(halves[gate]) * halves[1 - gate];
    }
}

/// <summary>A learned factor per channel (arXiv 2103.17239).</summary>
internal sealed class LayerScale : nn.Module<Tensor, Tensor>
{
    private Parameter gamma;

    public LayerScale(int width, double initial) : base(nameof(LayerScale))
    {
        gamma = Parameters.Full(initial, width);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => x * gamma;
}

/// <summary>Dropout whose mask comes from a generator of its own instead of libtorch's global one.</summary>
/// <param name="rate">The share of elements set to zero while training.</param>
/// <param name="generator">The source of the masks, owned by the caller. Needed only for training at a rate above zero.</param>
internal sealed class Dropout(double rate, Generator? generator) : nn.Module<Tensor, Tensor>(nameof(Dropout))
{
    public bool Active => training && rate > 0;

    public override Tensor forward(Tensor x) => Active ? x * RandomMask.Keep(x.shape, rate, x, generator) : x;
}

/// <summary>Stochastic depth: drops the whole residual branch of an image (arXiv 1603.09382).</summary>
/// <param name="rate">The share of images whose branch is dropped while training.</param>
/// <param name="generator">The source of the masks, owned by the caller. Needed only for training at a rate above zero.</param>
internal sealed class DropPath(double rate, Generator? generator) : nn.Module<Tensor, Tensor>(nameof(DropPath))
{
    public override Tensor forward(Tensor x)
    {
        if (!training || rate == 0)
            return x;
        long[] onePerImage = [x.shape[0], .. Enumerable.Repeat(1L, (int)x.dim() - 1)];   // [B, 1, ...]
        return x * RandomMask.Keep(onePerImage, rate, x, generator);
    }
}

internal static class RandomMask
{
    /// <summary>Zeros at <paramref name="rate"/>, elsewhere 1 / (1 - rate), so that the mean stays. Drawn on the generator's device.</summary>
    public static Tensor Keep(long[] shape, double rate, Tensor like, Generator? generator)
    {
        if (generator is null)
            throw new InvalidOperationException("A network with dropout or drop path needs a torch.Generator to train; give one to its constructor.");
        using Scalar dropped = rate, kept = 1 - rate;
        var keep = rand(shape, device: generator.device, generator: generator).ge(dropped);
        return keep.to(like.dtype, like.device).div_(kept);
    }
}
