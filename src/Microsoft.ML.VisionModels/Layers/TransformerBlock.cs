using Microsoft.ML.VisionModels.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Layers;

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
        norm1 = nn.LayerNorm(config.Width, config.NormEps);
        attn = new(config, generator);
        norm2 = nn.LayerNorm(config.Width, config.NormEps);
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
