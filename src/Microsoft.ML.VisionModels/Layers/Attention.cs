using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>Multi-head self-attention with one fused projection to queries, keys and values (arXiv 1706.03762).</summary>
internal sealed class Attention : nn.Module<Tensor, Tensor>
{
    private readonly Linear qkv, proj;
    private readonly Dropout _probabilityDropout, _outputDropout;
    private readonly int _heads;
    private readonly bool _causal;

    public Attention(TransformerConfig config, Generator? generator) : base(nameof(Attention))
    {
        if (config.Width % config.Heads != 0)
            throw new ArgumentException($"The width {config.Width} cannot be divided among {config.Heads} attention heads.", nameof(config));
        _heads = config.Heads;
        _causal = config.Causal;
        qkv = new(config.Width, 3 * config.Width, config.QkvBias);
        proj = new(config.Width, config.Width);
        _probabilityDropout = new(config.AttentionDropout, generator);
        _outputDropout = new(config.Dropout, generator);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => forward(x, null);

    /// <param name="x">Tokens [B, T, D].</param>
    /// <param name="mask">Added to the scores, broadcast to [B, heads, T, T]: 0 where a token may look, minus infinity where not.</param>
    public Tensor forward(Tensor x, Tensor? mask)
    {
        // The fused kernel's dropout draws from the global generator; for bfloat16 on CPU the plain products are faster (up to 1.6 times on Zen 4).
        if (_probabilityDropout.Active || (x.dtype == ScalarType.BFloat16 && x.device_type == DeviceType.CPU))
            return ForwardWithProbabilities(x, mask).Output;

        var (q, k, v) = Heads(x);
        var maskIsCausal = _causal && mask is null;
        return Merge(F.scaled_dot_product_attention(q, k, v, maskIsCausal ? null : FullMask(x, mask), 0, maskIsCausal));
    }

    /// <summary>The same, with the probabilities [B, heads, T, T] beside the output [B, T, D].</summary>
    public (Tensor Output, Tensor Probabilities) ForwardWithProbabilities(Tensor x, Tensor? mask)
    {
        var (q, k, v) = Heads(x);
        var scores = (q * Math.Pow(q.shape[^1], -0.5)).matmul(k.transpose(-2, -1));   // [B, heads, T, T]
        if (FullMask(x, mask) is { } full)
            scores += full;
        var probabilities = scores.softmax(-1);
        return (Merge(_probabilityDropout.forward(probabilities).matmul(v)), probabilities);
    }

    private (Tensor Q, Tensor K, Tensor V) Heads(Tensor x)
    {
        var (batch, tokens) = (x.shape[0], x.shape[1]);
        var parts = qkv.forward(x)                          // [B, T, 3 D]
            .view(batch, tokens, 3, _heads, -1)             // [B, T, 3, heads, D / heads]
            .permute(2, 0, 3, 1, 4)                         // [3, B, heads, T, D / heads]
            .unbind(0);
        return (parts[0], parts[1], parts[2]);
    }

    private Tensor Merge(Tensor x) => _outputDropout.forward(proj.forward(x.transpose(1, 2).flatten(2)));   // [B, heads, T, D / heads] -> [B, T, D]

    private Tensor? FullMask(Tensor x, Tensor? mask)
    {
        mask = mask?.to(x.dtype);
        if (!_causal)
            return mask;
        var tokens = x.shape[1];
        var future = full(tokens, tokens, double.NegativeInfinity, x.dtype, x.device).triu(1);
        return mask is null ? future : mask + future;
    }
}
