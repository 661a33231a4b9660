"""Pages: results as one HTML file that needs no network and no library.

`records.py` says what a comparison holds, `comparison_page.py` turns it into HTML with `comparison.html`,
`comparison.css` and `comparison.js`. Pictures are lossless PNG files inside the page.
Open first: `records.py`.
"""
