using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Microsoft.ML.VisionModels.Layers;

/// <summary>
/// Multi-head attention from some tokens to others (arXiv 1706.03762), with projections of their own for queries, keys and values.
/// Self-attention is <see cref="Attention"/>.
/// </summary>
internal sealed class CrossAttention : nn.Module
{
    private readonly Linear q, k, v, proj;
    private readonly int _heads;

    /// <param name="width">The width of queries and outputs.</param>
    /// <param name="heads">Heads, among which <paramref name="innerWidth"/> is divided.</param>
    /// <param name="innerWidth">The width of the products; <paramref name="width"/> where it is not given.</param>
    /// <param name="contextWidth">The width of keys and values; <paramref name="width"/> where it is not given.</param>
    /// <param name="qkvBias">Whether queries, keys and values have biases; outputs always have.</param>
    public CrossAttention(int width, int heads, int? innerWidth = null, int? contextWidth = null, bool qkvBias = true) : base(nameof(CrossAttention))
    {
        var (inner, context) = (innerWidth ?? width, contextWidth ?? width);
        if (inner % heads != 0)
            throw new ArgumentException($"The width {inner} cannot be divided among {heads} attention heads.", nameof(heads));
        (q, k, v, proj) = (new(width, inner, qkvBias), new(context, inner, qkvBias), new(context, inner, qkvBias), new(inner, width));
        _heads = heads;
        RegisterComponents();
    }

    /// <param name="queries">[B, T, D].</param>
    /// <param name="keys">[B, S, C], or [1, S, C] for all.</param>
    /// <param name="values">[B, S, C], or [1, S, C] for all.</param>
    /// <param name="mask">Added to the scores, broadcast to [B, heads, T, S].</param>
    /// <returns>[B, T, D].</returns>
    public Tensor forward(Tensor queries, Tensor keys, Tensor values, Tensor? mask = null)
    {
        var heads = PerHead(q.forward(queries));                                                    // [B, heads, T, inner / heads]
        return proj.forward(F.scaled_dot_product_attention(heads, PerHead(k.forward(keys)), PerHead(v.forward(values)), mask?.to(heads.dtype))
            .transpose(1, 2).flatten(2));
    }

    private Tensor PerHead(Tensor x) => x.unflatten(x.dim() - 1, _heads, -1).transpose(1, 2);    // [B, T, inner] -> [B, heads, T, inner / heads]
}
