using System.Runtime.ExceptionServices;

namespace Microsoft.ML.VisionModels.Core;

/// <summary>A parallel loop that fails as a sequential loop would: it throws the exception of the lowest index, and does not wrap it.</summary>
internal static class OrderedParallel
{
    public static void For(int count, Action<int> body)
    {
        if (count == 1)
        {
            body(0);
            return;
        }

        var errors = new Exception?[count];
        Parallel.For(0, count, (i, state) =>
        {
            try
            {
                body(i);
            }
            catch (Exception e)
            {
                errors[i] = e;
                state.Break(); // Lower indices still run: one of them may fail too, and its exception counts.
            }
        });
        if (Array.Find(errors, e => e is not null) is { } first)
            ExceptionDispatchInfo.Throw(first);
    }
}
