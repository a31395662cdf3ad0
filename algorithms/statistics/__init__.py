"""What every function of the shelf of statistics uses: floors, formulas, designs, sums, answers."""
