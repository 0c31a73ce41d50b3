using Microsoft.ML.VisionModels.Core;
using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;
using Parameter = TorchSharp.Modules.Parameter;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Multi-head self-attention with one fused projection to queries, keys and values (arXiv 1706.03762). With cosine scores
/// (arXiv 2111.09883) queries and keys have length 1, and each head learns how sharply it looks; keys have no bias then.
/// </summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    /// <summary>Before a cosine is multiplied by it: 10, as the paper starts it.</summary>
    internal static readonly double InitialLogitScale = Math.Log(10);

    private const long MostScores = 1 << 24;

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
            using Scalar start = InitialLogitScale;
            logit_scale = new Parameter(full(new long[] { config.Heads, 1, 1 }, start));
            if (config.QkvBias)
                (q_bias, v_bias) = (new Parameter(zeros(config.Width)), new Parameter(zeros(config.Width)));
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
        // plain products are faster (up to 1.6 times on Zen 4).
        if (_probabilityDropout.Active || mask is { requires_grad: true } || (q.dtype == ScalarType.BFloat16 && q.device_type == DeviceType.CPU))
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
