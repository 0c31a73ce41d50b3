using Microsoft.ML.VisionModels.Core;
using Microsoft.ML.VisionModels.Families.Diffusion;
using Microsoft.ML.VisionModels.Layers;
using static TorchSharp.torch;

namespace Microsoft.ML.VisionModels.Tests.Diffusion;

[Trait("Family", "Diffusion")]
public class AutoencoderTilesTests
{
    private const int Tile = 16;

    private static readonly AutoencoderKlConfig s_config = new() { Channels = [4, 8], Down = [false, false], Up = [false, false], LatentChannels = 3, NormGroups = 2, ScalingFactor = 0.5, ShiftFactor = 0.1 };

    // One tile and less; thin last tiles, of a single place too; several each way.
    public static TheoryData<int, int> Sizes => new() { { 16, 16 }, { 8, 12 }, { 16, 18 }, { 26, 16 }, { 38, 30 }, { 34, 62 } };

    [Theory, MemberData(nameof(Sizes))]
    public void TilesFadeIntoEachOther(int height, int width)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = new AutoencoderKl(s_config);
        Initialization.Fill(network, 0.2, new Generator(1));
        network.eval();
        var (images, scale) = (rand([2, 3, height, width], generator: new Generator(2)), network.Downscale);
        var noise = randn([2, 3, height / scale, width / scale], generator: new Generator(3));

        var latents = network.ToLatents(images, noise, Tile);
        var moments = Reference(images, Tile, Tile / scale, part => network.Moments(part));
        TensorAssert.Close(new LatentDistribution(moments).Sample(noise).Sub(0.1).Mul(0.5), latents, 1e-5);

        var made = network.ToImages(latents, Tile);
        TensorAssert.Close(Reference(latents, Tile / scale, Tile, part => network.ToImages(part)), made, 1e-5);

        var whole = network.ToImages(latents);
        if (height <= Tile && width <= Tile)
            TensorAssert.Close(whole, made, 0);
        else
            Assert.NotEqual(whole.data<float>().ToArray(), made.data<float>().ToArray());       // tiles do not see beyond their edges
    }

    /// <summary>
    /// Each place by itself, as it follows from the rule: tiles begin every three quarters of a side; a place belongs to the last tile that begins
    /// before it, along each side, and in the quarter that this shares with the one before, first the columns and then the rows are mixed.
    /// </summary>
    private static Tensor Reference(Tensor x, int side, int outputSide, Func<Tensor, Tensor> compute)
    {
        if (x.shape[2] <= side && x.shape[3] <= side)
            return compute(x);
        var (step, keep, shared) = (side * 3 / 4, outputSide * 3 / 4, outputSide / 4);
        var tiles = new Dictionary<(long, long), Tensor>();
        for (long row = 0; row * step < x.shape[2]; row++)
        {
            for (long column = 0; column * step < x.shape[3]; column++)
                tiles[(row, column)] = compute(x[.., .., (int)(row * step)..(int)Math.Min(row * step + side, x.shape[2]), (int)(column * step)..(int)Math.Min(column * step + side, x.shape[3])]);
        }
        var (height, width) = (x.shape[2] * outputSide / side, x.shape[3] * outputSide / side);
        var result = zeros([x.shape[0], tiles[(0, 0)].shape[1], height, width]);
        for (long y = 0; y < height; y++)
        {
            for (long z = 0; z < width; z++)
                result[.., .., (int)y, (int)z] = At(Math.Min(y / keep, Last(height)), Math.Min(z / keep, Last(width)), y, z);
        }
        return result;

        long Last(long length) => (length - 1) / keep;

        // The tile's own value, the one above mixed in, and then the one to the left, which was mixed with what is above it.
        Tensor At(long row, long column, long y, long z)
        {
            var value = Rows(row, column, y, z);
            var into = z - column * keep;
            var length = Math.Min(shared, width - column * keep);
            return column > 0 && into < length ? Mix(At(row, column - 1, y, z), value, into / (double)length) : value;
        }

        Tensor Rows(long row, long column, long y, long z)
        {
            var value = tiles[(row, column)][.., .., (int)(y - row * keep), (int)(z - column * keep)];
            var into = y - row * keep;
            var length = Math.Min(shared, height - row * keep);
            return row > 0 && into < length ? Mix(At(row - 1, column, y, z), value, into / (double)length) : value;
        }

        static Tensor Mix(Tensor before, Tensor next, double share) => before.Mul(1 - share).Add(next.Mul(share));
    }
}
